#include "remote/engine/push/pusher.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "index/base/error.hpp"
#include "index/base/exception_barrier.hpp"
#include "index/base/path.hpp"
#include "index/base/time.hpp"
#include "index/update/push_result.hpp"

namespace ferryfs::remote {
namespace {

bool stands_for(const struct stat& st, const file_facts& s) {
  return static_cast<std::uint64_t>(st.st_size) == s.size && to_ns(st.st_mtim) == s.mtime;
}

// So that two archives which push the same name to one server do not send into one file.
std::string id_of_archive(index::writer& index, index::readers& readers) {
  constexpr const char* key = "archive_id";
  if (const auto known = readers.borrow()->meta(key)) return *known;
  std::random_device dice;
  const std::string id = fmt::format("{:08x}{:08x}", dice(), dice());
  index.run([&](index::transaction& t) { t.put_meta(key, id); });
  return id;
}

failure spoilt(const std::string& path) {
  return {cause::local_error, fmt::format("{}: {}", printable(path), spoilt_here)};
}

failure local_failure(const std::string& path, int problem) {
  return {cause::local_error, fmt::format("{}: cannot be read: {}", printable(path), std::strerror(problem))};
}

}  // namespace

pusher::pusher(const dependencies& d, bool overwritten, open_files_query open)
    : needs_(d),
      overwritten_(overwritten),
      open_(std::move(open)),
      excluded_(d.setup.exclude, d.setup.profile),
      reader_(d.readers.borrow()),
      queue_(d.source, 2 * d.setup.io_timeout, [this](const push_item& p) { send(p); }),
      directories_({d.source, d.index, *reader_, excluded_, d.where.times(), queue_}),
      plan_(*reader_, excluded_, overwritten, directories_) {}

push_result pusher::run(const std::string& path, const std::stop_token& stop) {
  stop_ = stop;
  queue_.begin(stop);
  archive_id_ = id_of_archive(needs_.index, needs_.readers);
  if (!reader_->at(path))
    throw error(exit_code::usage, fmt::format("{}: no such picture or directory", printable(path)));
  // Where another disk is mounted by mistake, pictures would be sent to it.
  if (!needs_.suspicion.empty())
    throw error(exit_code::source,
                fmt::format("nothing is sent while the source is not believed: {}", needs_.suspicion));
  if (overwritten_ && !needs_.source.can_replace())
    throw error(exit_code::source,
                fmt::format("{}: the server cannot replace a file in one step (posix-rename@openssh.com); push without "
                            "--overwritten",
                            printable(needs_.setup.source)));
  try {
    walk(index::set::added, path);
    if (overwritten_) walk(index::set::conflict, path);
  } catch (...) {
    queue_.abort();
    queue_.drain();  // uploads that are in flight call this back
    throw;
  }
  queue_.drain();
  return queue_.conclude();
}

pusher::progress pusher::so_far() { return {queue_.so_far().files, bytes_}; }

void pusher::walk(index::set which, const std::string& path) {
  plan_.clear();
  if (!queue_.is_ended())
    index::walk(*reader_, which, path, [this](const std::string& at, const entry& e) { return consider(at, e); });
}

// False: nothing more is to be sent.
bool pusher::consider(const std::string& path, const entry& e) {
  if (queue_.is_ended()) return false;
  const auto decision = plan_.decide(e);
  if (decision.refusal) {
    queue_.refuse(*decision.refusal);
    return !queue_.is_ended();
  }
  if (!decision.target) return true;
  if (!queue_.wait_for_room()) return false;
  send({e, path, *decision.target, plan_.replaced_by(e)});
  return true;
}

// Why it is not to be sent, as it is now.
std::optional<failure> pusher::objection(const push_item& p) {
  if (open_.is_written(p.row.ino))
    return failure{cause::changed,
                   fmt::format("{}: is being written here; push again when that has ended", printable(p.path))};
  if (const auto now = reader_->by_inode(p.row.ino); now && is_spoilt(*now)) return spoilt(p.path);
  return std::nullopt;
}

// The item holds a slot: whatever is thrown, it is finished.
void pusher::send(const push_item& p) {
  if (const auto thrown = contain("push", [&] { try_to_send(p); })) fail(p, failure_of(thrown, printable(p.path)));
}

void pusher::try_to_send(const push_item& p) {
  if (const auto why = objection(p)) return fail(p, why);
  S_ISLNK(p.row.local->mode) ? send_link(p) : send_file(p);
}

void pusher::send_file(const push_item& p) {
  auto from = open(p);
  if (!from) return;
  auto u = std::make_shared<upload>(upload::dependencies{needs_.source, needs_.where, needs_.limit, needs_.readers,
                                                         open_, bytes_, stop_, archive_id_},
                                    p.row, p.path, p.target, *std::move(from), p.replaces);
  u->start([this, p, digest = u->sha256()](upload::end how, const auto& why, const attributes& there) {
    on_sent(p, digest, how, why, there);
  });
}

// Nothing: the item is finished.
std::optional<local_file> pusher::open(const push_item& p) {
  local_file f;
  const int problem = read_local_file(needs_.where, p.path, stop_, f);
  const auto& row = p.row;
  if (problem == ENOENT)
    on_sent(p, {}, upload::end::already_there, {}, {});  // deleted here since
  else if (problem == ECANCELED)
    fail(p, failure{cause::cancelled, "interrupted"});
  else if (problem != 0)
    fail(p, local_failure(p.path, problem));
  else if (p.replaces && !row.sha256.empty() && f.sha256 != row.sha256 && stands_for(f.as, *row.local))
    fail(p, spoilt(p.path));
  else
    return f;
  return std::nullopt;
}

void pusher::send_link(const push_item& p) {
  needs_.source.make_link(p.target, p.row.target, [this, p](const auto& why, const attributes& there) {
    if (!why) return on_sent(p, {}, upload::end::sent, {}, there);
    // Made before the answer was lost.
    const bool ours = p.connection_losses > 0 && S_ISLNK(there.mode) && there.size == p.row.target.size();
    ours ? on_sent(p, {}, upload::end::already_there, {}, there) : fail(p, why);
  });
}

void pusher::on_sent(const push_item& p, const std::string& sha256, upload::end how, const std::optional<failure>& why,
                     const attributes& there) {
  if (how == upload::end::sent)
    queue_.count_sent(p, there);
  else if (how == upload::end::already_there && there.mode != 0)
    queue_.count_already_there();
  if (there.mode != 0) return record(p, sha256, there);
  queue_.retry_or_refuse(p, how == upload::end::changed, why);
}

void pusher::record(const push_item& p, const std::string& sha256, const attributes& there) {
  file_facts source = facts_of(there, needs_.where.times());
  if (S_ISREG(source.mode) && source.size == 0)
    source.size = p.row.local->size;  // the server does not tell it; the digest has proven it
  needs_.index.post(
      [p = index::push_result{p.row, source, sha256}](index::transaction& t) { index::apply_push_result(t, p); },
      [this](std::exception_ptr failed) {
        if (failed) queue_.refuse({cause::local_error, "the index could not be changed"});
        queue_.release_slot();
      });
}

}  // namespace ferryfs::remote
