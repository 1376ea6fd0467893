// The files of the page, as they were when ferryfs was built (fs/CMakeLists.txt).
#pragma once

#include <string_view>

namespace ferryfs::fs {

extern const std::string_view page_html, page_css, page_js;

}  // namespace ferryfs::fs
