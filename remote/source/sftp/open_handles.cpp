#include "remote/source/sftp/open_handles.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote::sftp {

void open_handles::record_reply(type sent, type got, parser p) {
  if (sent == type::close && open_ > 0) --open_;
  if (!opens_handle(sent)) return;
  --opening_;
  if (got == type::handle) record_open(sent, p);
}

void open_handles::record_open(type how, parser p) {
  ++open_;
  std::string handle;
  try {
    handle = p.string();
  } catch (const protocol_error&) {
    return;  // the task finds that as well
  }
  if (!handles_.emplace(handle, how).second) return;
  count& c = of(how);
  c.most = std::max(c.most, ++c.now);
}

void open_handles::record_close(const std::string& handle) {
  const auto at = handles_.find(handle);
  if (at == handles_.end()) return;
  --of(at->second).now;
  handles_.erase(at);
}

// A server says no more than FAILURE where it has too many files open. If it has had far more such open before, or
// refuses again and again where fewer are open, that is of the file.
bool open_handles::defer(request& refused, parser p) {
  constexpr unsigned most_refusals = 3;
  if (code_of(p) != status::failure || !refused.owner->may_be_for_number(refused)) return false;
  if (open_ == 0 || open_ < of(refused.sent).most / 2 || ++refused.refusals > most_refusals) {
    if (refused.refusals > 0) limit_ = SIZE_MAX;  // it said nothing of their number
    return false;
  }
  limit_ = std::min(limit_, open_);
  log_once(fmt::format("{}: the server has {} files open and refuses more; it is not asked for more", where_, limit_));
  const auto* file = dynamic_cast<const transfer*>(refused.owner.get());
  file != nullptr && file->urgent() ? refused_.push_front(std::move(refused)) : refused_.push_back(std::move(refused));
  return true;
}

request open_handles::take_deferred() {
  request first = std::move(refused_.front());
  refused_.pop_front();
  return first;
}

std::size_t open_handles::limit_for(const request& again) const {
  return std::max<std::size_t>(again.refusals == 1 ? limit_ : limit_ / 2, 1);
}

}  // namespace ferryfs::remote::sftp
