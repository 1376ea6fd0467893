// A connection of a server that says anything at any time: greetings, and the tasks of every kind at once, by the real
// dispatcher. The seam is the channel (scripted_channel.hpp).
#include <spdlog/spdlog.h>

#include "remote/source/sftp/change_task.hpp"
#include "remote/source/sftp/connection.hpp"
#include "remote/source/sftp/list_task.hpp"
#include "remote/source/sftp/read_task.hpp"
#include "remote/source/sftp/write_task.hpp"
#include "tests/fuzz/archive_callers.hpp"
#include "tests/fuzz/one_thread.hpp"
#include "tests/fuzz/scripted_channel.hpp"
#include "tests/fuzz/sftp_server.hpp"

namespace {

using namespace ferryfs;
using namespace ferryfs::remote;
using fuzz::demand;
using sftp::change;
using priority_class = sftp::queue::priority_class;

constexpr std::uint64_t most_bytes = 16 << 10;  // of a file
constexpr int least_piece = 64;

class world {
 public:
  explicit world(fuzz::input& script)
      : script_(script), server_(script, [this](std::chrono::seconds s) { time_.pass(s); }) {
    end_.sent = [this](std::span<const std::byte> bytes) { server_.receive(bytes); };
    end_.asked = [this](std::size_t at_most) { return next_bytes(at_most); };
    end_.waited = [this](std::chrono::milliseconds at_most) { rest(at_most); };
    fuzz::connect_to(&end_);
    target_.user = "u", target_.host = "h", target_.path = "/root";
  }

  void run() {
    step_ = script_.byte() + 1U;
    const auto how = script_.below(4);
    const bool greets = how % 2 == 1;
    hurries_ = how / 2 == 1;
    const auto role = sftp::connection_role{script_.below(2), script_.flag()};
    for (auto left = script_.below(8) + 1; left > 0; --left) add_task();
    try {
      ssh::channel stream{target_, queue_.stopped()};
      sftp::greeting shown{"/root", {}, {true, true, true, true}, std::chrono::milliseconds(1)};
      if (greets) shown = sftp::exchange_greetings(stream, target_, queue_.stopped());
      demand(!shown.root.empty(), "the root has a path");
      sftp::connection c{{target_, queue_, peers_}, role, std::move(stream), shown};
      sftp::event_notifier wake;
      c.serve(wake);
    } catch (const failure& f) {
      demand(!f.text.empty() && fuzz::is_one_line(f.text), "why a connection ends is told in a line");
    }
    const auto left = queue_.close();
    for (const auto& [task, who] : tasks_) {
      const bool taken = std::find(left.begin(), left.end(), task) == left.end();
      demand(who->finished() == taken, "each task that was taken has ended, and no other");
    }
  }

 private:
  std::string next_bytes(std::size_t at_most) {
    if (unread_.empty()) {
      if (!hurries_ && std::exchange(was_read_, false)) return "";  // what the client has to say to it comes first
      if (script_.empty()) throw failure{cause::unreachable, "the server closed the connection"};
      unread_ = server_.step();
      was_read_ = !unread_.empty();
    }
    const std::string some = unread_.substr(0, std::min(at_most, step_ == 256 ? unread_.size() : step_));
    unread_.erase(0, some.size());
    return some;
  }

  void rest(std::chrono::milliseconds at_most) {
    time_.pass(at_most);
    const bool all_done = std::all_of(tasks_.begin(), tasks_.end(), [](const auto& t) { return t.second->finished(); });
    if (all_done && server_.owes_nothing() && unread_.empty() && !server_.has_lied())
      demand(server_.open_handles() == 0, "what was opened is closed");
  }

  void add_task() {
    switch (script_.below(5)) {
      case 0: {
        const auto to = std::make_shared<fuzz::collector>();
        return put(std::make_shared<sftp::list_task>(script_.flag() ? "2013" : "", to), to, priority_class::listing);
      }
      case 1: {
        const auto size = script_.number(2) % most_bytes;
        const auto piece = static_cast<std::uint32_t>(script_.byte() * 97 + least_piece);
        const auto to = std::make_shared<fuzz::reader>(
            fuzz::reader::plan{size, piece, script_.flag(), script_.flag()},
            [this](std::uint64_t at, std::byte b) { return server_.has_lied() || b == fuzz::content_at(at); });
        const bool demanded = script_.flag();
        return put(std::make_shared<sftp::read_task>(to, demanded ? priority::demand : priority::background), to,
                   demanded ? priority_class::demand : priority_class::background);
      }
      case 2: {
        const auto size = script_.number(2) % most_bytes;
        const auto from =
            std::make_shared<fuzz::writer>(size, static_cast<std::uint32_t>(script_.byte() * 97 + least_piece));
        return put(std::make_shared<sftp::write_task>(from), from, priority_class::background);
      }
      case 3: {
        const auto who = std::make_shared<fuzz::asker>(true);
        sftp::stat_task::on_file_system too;
        if (script_.flag()) too = [](std::optional<std::uint64_t>) {};
        return put(
            std::make_shared<sftp::stat_task>(
                script_.flag() ? "2013" : "", [who](const auto& why, const auto& a) { who->answer(why, a); }, too),
            who, priority_class::look);
      }
      default: {
        const auto kind = static_cast<change::what>(script_.below(5));
        const auto who = std::make_shared<fuzz::asker>(kind != change::what::removal);
        return put(std::make_shared<sftp::change_task>(change{kind, "2013/new", "2013/old", 0755},
                                                       [who](const auto& why, const auto& a) { who->answer(why, a); }),
                   who, priority_class::look);
      }
    }
  }

  void put(std::shared_ptr<sftp::task> t, std::shared_ptr<fuzz::caller> who, priority_class c) {
    tasks_.emplace_back(t, std::move(who));
    queue_.put(std::move(t), c);
  }

  fuzz::input& script_;
  fuzz::one_thread time_;
  fuzz::sftp_server server_;
  fuzz::other_end end_;
  ssh::target target_;
  sftp::queue queue_;
  sftp::peers peers_;
  std::vector<std::pair<std::shared_ptr<sftp::task>, std::shared_ptr<fuzz::caller>>> tasks_;
  std::string unread_;
  std::size_t step_ = 256;  // bytes that come at once
  bool hurries_ = false;    // the server says much before it listens again
  bool was_read_ = false;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spdlog::set_level(spdlog::level::off);
  fuzz::input script{data, size};
  world{script}.run();
  return 0;
}
