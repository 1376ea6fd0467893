#include "remote/source/local/name_change.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "remote/files/beneath.hpp"
#include "remote/files/list_directory.hpp"
#include "remote/files/rename.hpp"

namespace ferryfs::remote {
namespace {

using what = file_call::what;

int change_in(int root, int directory, const std::string& name, const file_call& call) {
  const auto result = [](int returned) { return returned == 0 ? 0 : errno; };
  switch (call.wanted) {
    case what::make_directory:
      if (::mkdirat(directory, name.c_str(), 0700) != 0) return errno;
      return result(::fchmodat(directory, name.c_str(), call.mode & 07777, 0));
    case what::make_link:
      return result(::symlinkat(call.other, directory, name.c_str()));
    case what::remove:
      return result(::unlinkat(directory, name.c_str(), 0));
    default:
      break;
  }
  const auto [source, old_name] = open_parent(root, call.other);
  if (!source) return errno;
  if (!call.replace) return rename_no_replace(source.get(), old_name, directory, name, no_links::fail);
  return result(::renameat(source.get(), old_name.c_str(), directory, name.c_str()));
}

}  // namespace

int change_name(int root, file_call& call) {
  const auto [directory, name] = open_parent(root, call.path);
  if (!directory) return errno;
  if (const int problem = change_in(root, directory.get(), name, call)) return problem;
  local_entry now{};
  look_at(directory.get(), name, now);
  call.shown = now.attributes;
  return 0;
}

}  // namespace ferryfs::remote
