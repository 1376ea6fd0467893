#include "remote/sftp/task.hpp"

#include <fmt/format.h>

#include "index/path.hpp"

namespace ferryfs::remote::sftp {

failure status_failure(const wire& w, const std::string& path, parser& p) {
  const auto code = static_cast<status>(p.u32());
  const std::string text = p.empty() ? "" : printable(p.string());
  const auto fail = [&](cause why, std::string_view fallback) {
    return failure{why, fmt::format("{}: {}: {}", w.where(), printable(path.empty() ? "." : path),
                                    text.empty() ? fallback : text)};
  };
  switch (code) {
    case status::no_such_file:
      return fail(cause::not_found, "no such file");
    case status::permission_denied:
      return fail(cause::permission, "permission denied");
    case status::ok:
    case status::eof:
      return fail(cause::protocol, "an answer without content");
    default:
      return fail(cause::source_error, fmt::format("the server reports error {}", static_cast<unsigned>(code)));
  }
}

void stat_task::start(wire& w) {
  // The root may be a symbolic link, as it may on rsync's command line; nothing below it is followed.
  const type kind = path_.empty() ? type::stat : type::lstat;
  w.begin({shared_from_this(), kind, {}, {}}).string(w.absolute(path_)).end();
}

void stat_task::reply(wire& w, const request&, type got, parser& p) {
  if (got == type::attrs) return end(std::nullopt, p.attrs());
  if (got != type::status) throw broken{"an answer to LSTAT that is none"};
  end(status_failure(w, path_, p), {});
}

void stat_task::lost(const failure& why) { end(why, {}); }

void stat_task::end(const std::optional<failure>& why, const attributes& a) {
  if (ended_) return;
  ended_ = true;
  done_(why, a);
}

void wire::close(std::shared_ptr<task> owner, const std::string& handle) {
  begin({std::move(owner), type::close, {}, {}}).string(handle).end();
}

}  // namespace ferryfs::remote::sftp
