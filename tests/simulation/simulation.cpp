#include "tests/simulation/simulation.hpp"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <set>

#include "index/base/thread.hpp"
#include "index/query/completeness.hpp"
#include "remote/engine/migration/migration.hpp"
#include "tests/doubles/fiber_scheduler.hpp"
#include "tests/simulation/disk_vfs.hpp"
#include "tests/simulation/engine_user.hpp"
#include "tests/simulation/index_check.hpp"
#include "tests/simulation/memory_disk.hpp"
#include "tests/simulation/model.hpp"
#include "tests/simulation/person.hpp"
#include "tests/simulation/server_archive.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

constexpr unsigned most_lives = 4;
constexpr unsigned most_looks = 60;              // at both sides, until they must be at rest
constexpr std::uint64_t most_turns = 3'000'000;  // of one process

class world {
 public:
  world(std::uint64_t seed, const simulation_options& o)
      : options_(o),
        random_(seed),
        machine_(seed ^ 0x5EED),
        log_(o.prints),
        weak_(random_.one_in(4)),
        disk_({.weak = weak_}),
        known_(server_),
        worker_({random_, server_, known_, log_, last_content_}) {
    machine_.yield_one_in(1 + static_cast<unsigned>(random_.below(16)));
    if (o.prints) spdlog::set_level(spdlog::level::info);  // beside the trace: what the engine says
    if (o.fails) known_.may_forget();
    disk_.before_each([this](const char* call) { return before(call); });
    machine_.run([this] {
      disk_.mkdir("/archive", 0755);
      worker_.furnish();
      if (random_.one_in(2)) worker_.furnish_here(disk_);
    });
  }
  ~world() { disk_.before_each(nullptr); }

  simulation_result run() {
    const unsigned lives = options_.crashes ? 1 + static_cast<unsigned>(random_.below(most_lives)) : 1;
    disk_calls::install(&disk_);
    try {
      while (result_.problem.empty() && result_.lives < lives) live(result_.lives + 1 == lives);
    } catch (const std::exception& e) {
      result_.problem = e.what();
    }
    disk_calls::install(nullptr);
    result_.hash = log_.hash() ^ machine_.trace();
    return result_;
  }

 private:
  int before(const char* call) {
    ++result_.disk_calls;
    if (crash_step_ != 0 && result_.steps >= crash_step_)
      crash_at_ = result_.disk_calls + random_.below(60), crash_step_ = 0;
    if (result_.disk_calls == crash_at_) {
      log_.add(std::string("crash at ") + call);
      machine_.abandon();
    }
    machine_.yield();
    if (trouble_one_in_ == 0 || !random_.one_in(trouble_one_in_)) return 0;
    static const std::set<std::string> growing{"pwrite", "openat", "mkdirat", "ftruncate", "fallocate", "renameat2"};
    const int problem = random_.one_in(2) && growing.contains(call) ? ENOSPC : EIO;
    log_.add(std::string(call) + " fails: " + std::strerror(problem));
    return problem;
  }

  void fail(const std::string& why) {
    if (result_.problem.empty()) result_.problem = why;
  }
  void check(const std::optional<std::string>& contradiction) {
    if (contradiction) fail(*contradiction);
  }

  // At any disk call, or soon after some step of the person.
  void choose_crash(bool never) {
    if (never) return;
    if (random_.one_in(2))
      crash_at_ = result_.disk_calls + 1 + random_.below(4000ULL >> random_.below(6));
    else
      crash_step_ = result_.steps + 1 + random_.below(options_.steps / 2);
  }

  // One process, from its start to a crash, or until it ends by itself.
  void live(bool is_last) {
    ++result_.lives;
    log_.add(weak_ ? "start, on a weak disk" : "start");
    reset_disk_vfs();
    choose_crash(is_last);
    const bool ended = machine_.run([this, is_last] { work(is_last); });
    crash_at_ = crash_step_ = trouble_one_in_ = 0;
    if (!ended) {
      if (random_.one_in(2)) {
        log_.add("the process is gone");
        disk_.close_all();
        worker_.on_crash();
        known_.on_kill();
      } else {
        log_.add("the power is gone");
        disk_.cut_power(random_.engine());
        worker_.on_crash();
        known_.on_power_cut(machine_.steady_now(), weak_);
      }
    }
    check(known_.contradiction(disk_));
    if (!is_last || !result_.problem.empty()) return;
    reset_disk_vfs();
    machine_.run([this] {
      check(contradiction_of_index(disk_));
      if (result_.problem.empty()) check(known_.contradiction_at_rest(disk_, conflicts_of_index(), is_complete_));
    });
  }

  void work(bool is_last) {
    remote::settings s;
    s.min_free = 0, s.believe_loss = 100;
    remote::destination where{"/archive"};
    where.acquire("");
    auto source = std::make_unique<server_archive>(server_, random_.below(1ULL << 32), log_);
    server_archive& network = *source;
    remote::migration archive{s, where, std::move(source)};
    share_root(archive);
    archive.on_scanned([this](const remote::source_scan::result& r, bool, auto begun) {
      if (r.complete()) known_.listed(begun);
    });
    {
      engine_user u{archive};
      archive.start({true, true});
      if (options_.fails) trouble_one_in_ = 10U << random_.below(8);
      const unsigned share = is_last ? options_.steps : result_.steps + options_.steps / 2;
      {
        const auto go_on = [&](auto&& step) {
          return [&, step](const std::stop_token&) {
            while (result_.steps < share) ++result_.steps, step();
          };
        };
        thread there{"person there", go_on([&] { worker_.work_there(network); })};
        thread here{"person here", go_on([&] { worker_.work_here(u); })};
        thread also_here{"another here", go_on([&] { worker_.work_here(u); })};
        there.join(), here.join(), also_here.join();
      }
      trouble_one_in_ = 0;
      worker_.calm_down(network);
      if (is_last) come_to_rest(archive);
      archive.stop();
      log_.add("stop");
    }
  }

  // As fs/process/engine.cpp: the view asks for the root's listing before it answers for a name in it.
  static void share_root(remote::migration& archive) {
    archive.index().run([](index::transaction& t) {
      const auto root = t.by_inode(root_inode);
      if (!root || root->source) return;
      entry after = *root;
      after.source = root->local, after.state = state::common;
      t.update(*root, after);
    });
    archive.index().sync();
  }

  void come_to_rest(remote::migration& archive) {
    std::string last;
    for (unsigned look = 0; look < most_looks; ++look) {
      if (machine_.turns() > most_turns) return fail("no rest in " + std::to_string(most_turns) + " turns");
      const auto seen = std::make_shared<promise<bool>>();
      // Of a source with nothing in it somebody has to say that it is meant.
      archive.rescan([seen](const remote::source_scan::result& r) { seen->set_value(r.complete()); },
                     remote::migration::pass::full, !archive.suspicion().empty());
      const bool complete = seen->get();
      const auto idle = std::make_shared<promise<answer_mark>>();
      archive.replicate().when_idle([idle] { idle->set_value({}); });
      idle->wait_for(1h);
      archive.index().drain();
      const auto state = index::read_completeness(*archive.readers().borrow());
      const auto& sums = state.sums;
      is_complete_ = state.complete();
      last = std::to_string(sums.of(state::missing).files) + " missing, " +
             std::to_string(sums.of(state::failed).files) + " failed, " + archive.suspicion();
      log_.add("look " + std::to_string(look) + (complete ? ": " : ", incomplete: ") + last);
      if (complete && sums.of(state::missing).files == 0 && sums.of(state::failed).files == 0 && look > 0) return;
      sleep_for(60s);
    }
    fail("no rest after " + std::to_string(most_looks) + " looks at both sides: " + last);
  }

  const simulation_options options_;
  dice random_;
  fiber_scheduler machine_;
  trace log_;
  const bool weak_;  // the disk
  memory_disk disk_;
  old_server server_;
  model known_;
  std::uint64_t last_content_ = 0;
  person worker_;
  unsigned trouble_one_in_ = 0;   // of the disk's calls fail; 0: none
  bool is_complete_ = false;      // as the engine says at rest
  std::uint64_t crash_at_ = 0;    // which disk call; 0: none
  std::uint64_t crash_step_ = 0;  // some calls after that many steps; 0: none
  simulation_result result_;
};

}  // namespace

void prepare_simulation() {
  install_disk_vfs();
  spdlog::set_pattern("                   %v");
  spdlog::set_level(spdlog::level::off);
  // What is looked for once in a process is known from here on.
  simulate(0, {.crashes = false, .steps = 0});
}

simulation_result simulate(std::uint64_t seed, const simulation_options& o) {
  // Of a world that failed, threads may still stand on their stacks: it is not destroyed.
  auto* const w = new world{seed, o};
  auto result = w->run();
  if (result.problem.empty()) delete w;
  return result;
}

}  // namespace ferryfs::test
