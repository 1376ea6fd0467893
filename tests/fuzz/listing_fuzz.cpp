// A directory of a server that is honest, and tells as little and in any order as it likes: the listing is the
// directory, each name with its kind, its size and its target, and each name that can't stand here as refused.
#include <spdlog/spdlog.h>

#include <map>

#include "remote/source/sftp/list_task.hpp"
#include "tests/fuzz/archive_callers.hpp"
#include "tests/remote/source/sftp/fake_request_sender.hpp"

namespace {

using namespace ferryfs;
using fuzz::demand;
using remote::sftp::status;
using remote::sftp::type;
using test::handle_reply;
using test::reply;
using test::status_reply;

constexpr std::string_view above = "/root/2013/", own_handle = "own", other_handle = "other";

struct file {
  std::uint32_t kind = S_IFREG;
  std::uint64_t size = 0;
  std::string target;
  bool listed_with_kind = true;
  enum class lstat { shows, hides_kind, unsupported } looked_at = lstat::shows;
};

class directory {
 public:
  explicit directory(fuzz::input& script) : script_(script) {
    for (auto left = script.below(12); left > 0; --left) {
      const std::string name{script.text()};
      if (name == "." || name == "..") continue;
      constexpr std::array<std::uint32_t, 4> kinds{S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO};
      file f;
      const auto how = script.byte();
      f.kind = kinds.at(how & 3);
      f.listed_with_kind = (how & 4) == 0;
      f.looked_at = static_cast<file::lstat>((how >> 3) % 3);
      if (f.kind == S_IFIFO) f.looked_at = file::lstat::shows;  // by opening it, it is no other than a file
      f.size = script.byte();
      if (f.kind == S_IFLNK) f.target = 't' + std::string(script.text());
      if (f.kind == S_IFLNK) f.size = f.target.size();
      files_.emplace(name, f);
    }
    next_ = files_.begin();
  }

  reply answer(const test::fake_request_sender::sent& to) {
    auto body = to.body();
    const std::string about{body.string()};
    switch (to.type()) {
      case type::opendir:
        if (about == above.substr(0, above.size() - 1)) return is_open_ = true, handle_reply(own_handle);
        return kind_of(about) == S_IFDIR ? handle_reply(other_handle) : status_reply(status::failure);
      case type::open:
        return kind_of(about) == S_IFREG ? handle_reply(other_handle) : status_reply(status::failure);
      case type::readdir:
        return about == own_handle && is_open_ ? names() : status_reply(status::failure);
      case type::lstat:
        return looked_at(named(about));
      case type::readlink:
        return kind_of(about) == S_IFLNK ? reply{type::name}.u32(1).string(named(about).target).string("").u32(0)
                                         : status_reply(status::failure);
      case type::fstat:
        return reply{type::attrs}.u32(4).u32(0644);
      default:
        return status_reply(status::ok);
    }
  }

  void compare(const fuzz::collector& with) const {
    std::map<std::string, const remote::directory_entry*> listed;
    for (const auto& e : with.all) demand(listed.emplace(e.name, &e).second, "a name is listed once");
    for (const auto& [name, f] : files_) {
      const auto at = listed.find(name);
      const bool stands_here = valid_name(name) && f.kind != S_IFIFO;
      demand((at != listed.end()) == stands_here, "each name that can stand here is listed");
      demand(with.not_here.count(name) == (stands_here ? 0 : 1), "each other name is refused, once");
      if (!stands_here) continue;
      demand((at->second->attrs.mode & S_IFMT) == f.kind, "it is listed as what it is");
      demand(at->second->target == f.target, "a link has its target");
      demand(at->second->attrs.size == f.size, "it has its size");
    }
    demand(listed.size() + with.not_here.size() == files_.size(), "nothing else is listed");
  }

 private:
  const file& named(const std::string& path) const {
    const auto at = files_.find(path.starts_with(above) ? path.substr(above.size()) : "/");
    demand(at != files_.end(), "only what is there is asked about");
    return at->second;
  }
  std::uint32_t kind_of(const std::string& path) const { return named(path).kind; }

  reply names() {
    if (next_ == files_.end()) return status_reply(status::eof);
    std::vector<decltype(next_)> some;
    const auto most = script_.empty() ? files_.size() : script_.below(5);
    while (some.size() < most && next_ != files_.end()) some.push_back(next_++);
    reply r{type::name};
    r.u32(static_cast<std::uint32_t>(some.size()));
    for (const auto& at : some) {
      r.string(at->first).string("as ls -l shows it");
      r.attrs(at->second.listed_with_kind ? at->second.kind | 0644U : 0U, at->second.size, 1'000);
    }
    return r;
  }

  static reply looked_at(const file& f) {
    if (f.looked_at == file::lstat::unsupported) return status_reply(status::unsupported);
    return reply{type::attrs}.attrs((f.looked_at == file::lstat::shows ? f.kind : 0U) | 0644U, f.size, 1'000);
  }

  fuzz::input& script_;
  std::map<std::string, file> files_;
  std::map<std::string, file>::const_iterator next_;
  bool is_open_ = false;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  fuzz::input script{data, size};
  directory there{script};
  test::fake_request_sender sender;
  if (const auto predicts = script.below(3); predicts > 0) sender.predicted = predicts == 1 ? own_handle : other_handle;
  const auto to = std::make_shared<fuzz::collector>();
  std::make_shared<remote::sftp::list_task>("2013", to)->start(sender);
  std::size_t answers = 0;
  while (!sender.open().empty()) {
    demand(++answers < 10'000, "a listing comes to its end");
    auto& open = sender.open();
    const auto at = open.begin() + static_cast<std::ptrdiff_t>(script.below(std::min<std::size_t>(open.size(), 256)));
    const auto sent = std::move(*at);
    open.erase(at);
    // Not in the parser's hands when the task sends more.
    const reply r = there.answer(sent);
    sender.give(sent.request, r.type(), r.body());
  }
  demand(to->finished(), "a listing ends");
  demand(!to->failed, "the listing of an honest server does not fail");
  there.compare(*to);
  return 0;
}
