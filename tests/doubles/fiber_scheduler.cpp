#include "tests/doubles/fiber_scheduler.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "index/base/lock_order.hpp"

namespace ferryfs::test {
namespace {

constexpr std::size_t stack_size = 256 << 10;
// The C++ runtime's notes of a thread's exceptions (Itanium C++ ABI, 2.2.2): each fiber has its own.
using exceptions = std::array<std::byte, 2 * sizeof(void*)>;

}  // namespace

struct fiber_scheduler::fiber {
  thread_id id;
  std::string name;
  std::function<void()> run;
  std::unique_ptr<std::byte[]> stack = std::make_unique<std::byte[]>(stack_size);
  ucontext_t context{};
  exceptions thrown{};
  held_locks locks{};
  enum class state { ready, waiting, ended } state = state::ready;
  const void* on = nullptr;
  std::optional<steady_time> deadline;
  bool notified = false;
};

fiber_scheduler::fiber_scheduler(std::uint64_t seed) : random_(seed) {}
fiber_scheduler::~fiber_scheduler() = default;

scheduler::wall_time fiber_scheduler::wall_now() {
  return wall_time{std::chrono::duration_cast<wall_time::duration>(now_.time_since_epoch() + wall_offset_)};
}

void fiber_scheduler::run(std::function<void()> first) {
  install(this);
  struct uninstalled {
    ~uninstalled() { install(nullptr); }
  } const end;
  spawn("first", std::move(first));
  while (!thrown_) {
    wake_due();
    std::vector<fiber*> ready;
    for (const auto& f : fibers_)
      if (f->state == fiber::state::ready) ready.push_back(f.get());
    if (ready.empty() && fibers_.empty()) return;
    if (ready.empty()) {
      const fiber* next = nullptr;
      for (const auto& f : fibers_)
        if (f->deadline && (next == nullptr || *f->deadline < *next->deadline)) next = f.get();
      if (next == nullptr) tell_deadlock();
      now_ = std::max(now_, *next->deadline);
      continue;
    }
    fiber& f = *ready[random_() % ready.size()];
    trace_ = (trace_ ^ f.id) * 1099511628211ULL;  // FNV-1a
    now_ += std::chrono::microseconds(1);
    resume(f);
    std::erase_if(fibers_, [](const auto& one) { return one->state == fiber::state::ended; });
  }
  std::rethrow_exception(thrown_);
}

bool fiber_scheduler::wake_due() {
  bool any = false;
  for (const auto& f : fibers_)
    if (f->state == fiber::state::waiting && f->deadline && *f->deadline <= now_)
      f->state = fiber::state::ready, f->notified = false, any = true;
  return any;
}

void fiber_scheduler::resume(fiber& f) {
  running_ = &f;
  exceptions mine;
  auto* const globals = abi::__cxa_get_globals();
  std::memcpy(mine.data(), globals, mine.size());
  std::memcpy(globals, f.thrown.data(), mine.size());
  std::swap(locks_held(), f.locks);
  ::swapcontext(&outside_, &f.context);
  std::swap(locks_held(), f.locks);
  std::memcpy(f.thrown.data(), globals, mine.size());
  std::memcpy(globals, mine.data(), mine.size());
  running_ = nullptr;
}

void fiber_scheduler::suspend() { ::swapcontext(&running_->context, &outside_); }

void fiber_scheduler::enter() {
  auto& self = static_cast<fiber_scheduler&>(*current());
  fiber& f = *self.running_;
  try {
    f.run();
  } catch (...) {
    self.thrown_ = std::current_exception();
  }
  f.run = nullptr;
  f.state = fiber::state::ended;
  self.notify(&f.id);
  self.suspend();  // for good
}

scheduler::thread_id fiber_scheduler::spawn(const char* name, std::function<void()> run) {
  auto f = std::make_unique<fiber>();
  f->id = ++last_, f->name = name, f->run = std::move(run);
  ::getcontext(&f->context);
  f->context.uc_stack.ss_sp = f->stack.get();
  f->context.uc_stack.ss_size = stack_size;
  ::makecontext(&f->context, enter, 0);
  fibers_.push_back(std::move(f));
  return last_;
}

void fiber_scheduler::join(thread_id id) {
  while (true) {
    const auto at = std::find_if(fibers_.begin(), fibers_.end(), [&](const auto& f) { return f->id == id; });
    if (at == fibers_.end() || (*at)->state == fiber::state::ended) return;
    wait(&(*at)->id, std::nullopt);
  }
}

scheduler::thread_id fiber_scheduler::self() { return running_ != nullptr ? running_->id : 0; }

void fiber_scheduler::yield() {
  if (running_ != nullptr) suspend();
}

bool fiber_scheduler::wait(const void* on, std::optional<steady_time> deadline) {
  fiber& f = *running_;
  f.state = fiber::state::waiting, f.on = on, f.deadline = deadline, f.notified = false;
  suspend();
  f.on = nullptr, f.deadline.reset();
  return f.notified;
}

void fiber_scheduler::notify(const void* on) {
  for (const auto& f : fibers_)
    if (f->state == fiber::state::waiting && f->on == on) f->state = fiber::state::ready, f->notified = true;
}

void fiber_scheduler::tell_deadlock() const {
  std::string text = "all wait for ever:";
  for (const auto& f : fibers_) text += ' ' + f->name;
  throw std::runtime_error(text);
}

}  // namespace ferryfs::test
