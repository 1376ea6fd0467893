#include "fs/mount/kernel/parked.hpp"

#include <cerrno>

#include "index/base/clock.hpp"
#include "index/base/exception_barrier.hpp"

namespace ferryfs::fs {

void parked_request::answer(const replier& reply) {
  if (answered_.exchange(true)) return;
  // Waits for an interrupt that is being delivered; afterwards none is.
  fuse_req_interrupt_func(req_, nullptr, nullptr);
  reply(req_);
}

// On a libfuse thread that holds the request's lock: reply, and nothing else of libfuse.
void parked_request::interrupted(fuse_req_t req, void* self) {
  const auto kept = static_cast<parked_request*>(self)->shared_from_this();
  if (kept->parking_ == thread::self()) {
    kept->early_ = true;  // libfuse calls from within `park`, and goes on using the request
    return;
  }
  if (kept->answered_.exchange(true)) return;
  fuse_reply_err(req, EINTR);
  kept->abandon(false);
}

void parked_request::abandon(bool late) {
  std::function<void(bool)> call;
  {
    const lock held{mutex_};
    abandoned_ = true;
    late_ = late;
    call = std::move(on_abandoned_);
  }
  if (call) contain("end of a request", [&] { call(late); });
}

void parked_request::on_abandoned(std::function<void(bool)> call) {
  bool late = false;
  {
    const lock held{mutex_};
    if (!abandoned_) {
      on_abandoned_ = std::move(call);
      return;
    }
    late = late_;
  }
  call(late);
}

void parked_request::on_deadline(std::function<clock::time_point()> last_sign) {
  const lock held{mutex_};
  last_sign_ = std::move(last_sign);
}

parked_request::clock::time_point parked_request::last_sign() {
  std::function<clock::time_point()> ask;
  {
    const lock held{mutex_};
    ask = last_sign_;
  }
  return ask ? ask() : clock::time_point{};
}

parked_requests::parked_requests(std::chrono::seconds deadline)
    : deadline_(deadline), watcher_("parked", [this](const std::stop_token& stop) { watch(stop); }) {}

parked_requests::~parked_requests() {
  watcher_.request_stop();
  watcher_.join();
  const lock held{mutex_};
  const auto refuse = [](fuse_req_t req) { fuse_reply_err(req, ENODEV); };
  for (auto& [when, p] : waiting_) p->answer(refuse);
  for (auto& p : commands_) p->answer(refuse);
}

std::shared_ptr<parked_request> parked_requests::park(fuse_req_t req) {
  auto p = std::make_shared<parked_request>(req);
  {
    const lock held{mutex_};
    waiting_.emplace(steady_now() + deadline_, p);
  }
  wake_.notify_one();
  hand_over(req, *p);
  return p;
}

std::shared_ptr<parked_request> parked_requests::park_without_deadline(fuse_req_t req) {
  auto p = std::make_shared<parked_request>(req);
  {
    const lock held{mutex_};
    std::erase_if(commands_, [](const auto& one) { return one->answered(); });
    commands_.push_back(p);
  }
  hand_over(req, *p);
  return p;
}

void parked_requests::hand_over(fuse_req_t req, parked_request& p) {
  p.parking_ = thread::self();
  fuse_req_interrupt_func(req, parked_request::interrupted, &p);
  p.parking_ = thread::id{};
  if (!p.early_) return;
  p.answer([](fuse_req_t r) { fuse_reply_err(r, EINTR); });
  p.abandon(false);
}

void parked_requests::watch(const std::stop_token& stop) {
  lock held{mutex_};
  while (wake_.wait(held, stop, [&]() REQUIRES(mutex_) { return !waiting_.empty(); })) {
    // The answered ones are let go at their deadline, or here, while they stand at the front.
    while (!waiting_.empty() && waiting_.begin()->second->answered()) waiting_.erase(waiting_.begin());
    if (waiting_.empty()) continue;
    const auto first = waiting_.begin()->first;
    wake_.wait_until(held, stop, first,
                     [&]() REQUIRES(mutex_) { return waiting_.empty() || waiting_.begin()->first < first; });
    decltype(waiting_) late;
    for (const auto now = steady_now(); !waiting_.empty() && waiting_.begin()->first <= now;)
      late.insert(waiting_.extract(waiting_.begin()));  // without memory, which may be out
    held.unlock();
    for (const auto& [when, request] : late) {
      const auto& p = request;
      if (p->answered()) continue;
      if (const auto until = p->last_sign() + deadline_; until > steady_now()) {
        held.relock();
        waiting_.emplace(until, p);
        held.unlock();
        continue;
      }
      p->answer([&](fuse_req_t req) {
        p->abandon(true);  // before the reply: the kernel may ask again at once; it throws nothing
        fuse_reply_err(req, ETIMEDOUT);
      });
    }
    held.relock();
  }
}

}  // namespace ferryfs::fs
