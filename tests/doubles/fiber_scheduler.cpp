// Jumps from stack to stack, which the checked form of longjmp(3) takes for a mistake.
#undef _FORTIFY_SOURCE
#include "tests/doubles/fiber_scheduler.hpp"

#include <cxxabi.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "index/base/lock_order.hpp"

namespace ferryfs::test {
namespace {

constexpr std::size_t stack_size = 256 << 10;
// The C++ runtime's notes of a thread's exceptions (Itanium C++ ABI, 2.2.2): each fiber has its own.
using exceptions = std::array<std::byte, 2 * sizeof(void*)>;

// Stacks are used again, also of fibers that were abandoned.
class stack {
 public:
  stack() {
    if (!unused().empty()) {
      at_ = unused().back();
      unused().pop_back();
      return;
    }
    at_ = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at_ == MAP_FAILED) throw std::bad_alloc();
    ::mprotect(at_, 4096, PROT_NONE);  // one that is too small ends in a fault
  }
  ~stack() { unused().push_back(at_); }
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;
  void* get() const noexcept { return at_; }

 private:
  static std::vector<void*>& unused() {
    static std::vector<void*> all;
    return all;
  }
  void* at_;
};

}  // namespace

struct fiber_scheduler::fiber {
  thread_id id;
  std::string name;
  std::function<void()> run;
  stack on_stack;
  ucontext_t begin{};
  jmp_buf at;
  bool begun = false;
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

bool fiber_scheduler::run(std::function<void()> first) {
  install(this);
  struct uninstalled {
    ~uninstalled() { install(nullptr); }
  } const at_end;
  abandoned_ = false;
  spawn("first", std::move(first));
  while (!thrown_ && !abandoned_ && !fibers_.empty()) {
    wake_due();
    collect_ready();
    if (ready_.empty()) {
      if (!pass_time()) tell_deadlock();
      continue;
    }
    const std::size_t at = ready_.size() == 1 ? ready_[0] : ready_[random_() % ready_.size()];
    trace_ = (trace_ ^ fibers_[at]->id) * 1099511628211ULL;  // FNV-1a
    ++turns_;
    now_ += std::chrono::microseconds(1);
    resume(*fibers_[at]);
    if (fibers_[at]->state == fiber::state::ended) fibers_.erase(fibers_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  if (!thrown_ && !abandoned_) return true;
  leak_all();
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  return false;
}

void fiber_scheduler::abandon() {
  abandoned_ = true;
  while (true) suspend();
}

// Their functions own what the abandoned threads still use, and destroying that would wait for them.
void fiber_scheduler::leak_all() {
  for (const auto& f : fibers_) new std::function<void()>(std::move(f->run));
  fibers_.clear();
}

void fiber_scheduler::wake_due() {
  for (const auto& f : fibers_)
    if (f->state == fiber::state::waiting && f->deadline && *f->deadline <= now_)
      f->state = fiber::state::ready, f->notified = false;
}

void fiber_scheduler::collect_ready() {
  ready_.clear();
  for (std::size_t i = 0; i < fibers_.size(); ++i)
    if (fibers_[i]->state == fiber::state::ready) ready_.push_back(i);
}

// To the next deadline. False: there is none.
bool fiber_scheduler::pass_time() {
  const fiber* next = nullptr;
  for (const auto& f : fibers_)
    if (f->deadline && (next == nullptr || *f->deadline < *next->deadline)) next = f.get();
  if (next != nullptr) now_ = std::max(now_, *next->deadline);
  return next != nullptr;
}

void fiber_scheduler::resume(fiber& f) {
  running_ = &f;
  exceptions mine;
  auto* const globals = abi::__cxa_get_globals();
  std::memcpy(mine.data(), globals, mine.size());
  std::memcpy(globals, f.thrown.data(), mine.size());
  std::swap(locks_held(), f.locks);
  if (_setjmp(outside_) == 0) {
    if (running_->begun) _longjmp(running_->at, 1);
    running_->begun = true;
    ::setcontext(&running_->begin);
  }
  std::swap(locks_held(), running_->locks);
  auto* const again = abi::__cxa_get_globals();
  std::memcpy(running_->thrown.data(), again, mine.size());
  std::memcpy(again, mine.data(), mine.size());
  running_ = nullptr;
}

void fiber_scheduler::suspend() {
  if (_setjmp(running_->at) == 0) _longjmp(outside_, 1);
}

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
  ::getcontext(&f->begin);
  f->begin.uc_stack.ss_sp = f->on_stack.get();
  f->begin.uc_stack.ss_size = stack_size;
  ::makecontext(&f->begin, enter, 0);
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
  if (running_ != nullptr && (yield_one_in_ == 1 || random_() % yield_one_in_ == 0)) suspend();
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
