// The callers of an archive, who demand what remote/source/archive.hpp promises them.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <vector>

#include "index/base/path.hpp"
#include "remote/source/archive.hpp"
#include "remote/source/refused_kind.hpp"
#include "tests/fuzz/input.hpp"

namespace ferryfs::fuzz {

// What every caller is told at the end, once.
class caller {
 public:
  virtual ~caller() = default;
  bool finished() const noexcept { return finished_; }

 protected:
  void finish(const std::optional<remote::failure>& why) {
    demand(!finished_, "a request ends once");
    finished_ = true;
    if (why) demand(!why->text.empty() && is_one_line(why->text), "a failure is told in a line");
  }
  void demand_unfinished() const { demand(!finished_, "nothing is said behind the end"); }

 private:
  bool finished_ = false;
};

class collector final : public remote::listing, public caller {
 public:
  void batch(std::vector<remote::directory_entry> names) override {
    demand_unfinished();
    for (auto& n : names) {
      demand(valid_name(n.name), "an archive hands out valid names alone");
      demand(n.attrs.has_kind() && !remote::is_refused_kind(n.attrs.mode), "what is handed out is of a known kind");
      demand(n.attrs.size.value_or(0) <= remote::largest_size, "no size is beyond the largest");
      demand(S_ISLNK(n.attrs.mode) == !n.target.empty(), "links, and no others, have a target");
      all.push_back(std::move(n));
    }
  }
  void refused(std::string name, std::string why) override {
    demand_unfinished();
    demand(!why.empty() && is_one_line(why), "why a name is refused is told in a line");
    if (why.starts_with("an empty name")) demand(name.empty(), "a name that is refused as empty is empty");
    if (why.starts_with("a name with a '/'")) demand(name.find('/') != std::string::npos, "it has a slash");
    if (why.starts_with("a name with a zero")) demand(name.find('\0') != std::string::npos, "it has a zero byte");
    not_here.insert(std::move(name));
  }
  void finished(const std::optional<remote::failure>& why) override { finish(why), failed = why; }
  using caller::finished;

  std::vector<remote::directory_entry> all;
  std::multiset<std::string> not_here;
  std::optional<remote::failure> failed;
};

// Reads a file of `size` bytes, a piece after the other.
class reader final : public remote::reading, public caller {
 public:
  // `content`: the byte that has to stand at an offset; null: any.
  using content = std::function<bool(std::uint64_t offset, std::byte b)>;
  struct plan {
    std::uint64_t size;
    std::uint32_t piece;
    bool urgent, may_end_early;
  };
  reader(plan p, content is) : plan_(p), is_(std::move(is)), came_(p.size), end_(p.size) {}

  const std::string& path() const override { return path_; }
  bool urgent() const override { return plan_.urgent; }
  next next_range(std::uint32_t at_most) override {
    demand_unfinished();
    if (requested_ == plan_.size) return {remote::next_step::done, {}};
    const auto length = std::min<std::uint64_t>({at_most, plan_.piece, plan_.size - requested_});
    return {remote::next_step::more,
            {std::exchange(requested_, requested_ + length), static_cast<std::uint32_t>(length)}};
  }
  bool ends(std::uint64_t offset) override {
    demand_unfinished();
    demand(offset < requested_, "a file ends where it was read");
    if (plan_.may_end_early) end_ = std::min(end_, offset);
    return plan_.may_end_early;
  }
  void arrived(std::uint64_t offset, std::span<const std::byte> bytes) override {
    demand_unfinished();
    demand(!bytes.empty() && offset + bytes.size() <= requested_, "bytes come that were asked for");
    for (const std::byte b : bytes) {
      demand(!came_[offset], "each byte comes once");
      demand(is_(offset, b), "bytes come as the server has them");
      came_[offset++] = true;
    }
  }
  void finished(const std::optional<remote::failure>& why, const remote::attributes&) override {
    finish(why);
    if (why) return;
    demand(requested_ == plan_.size, "a reading without a failure asked for all");
    for (std::uint64_t at = 0; at < end_; ++at) demand(came_[at], "a reading without a failure has all bytes");
  }
  using caller::finished;

 private:
  const std::string path_ = "2013/a.jpg";
  const plan plan_;
  const content is_;
  std::vector<bool> came_;
  std::uint64_t requested_ = 0, end_;
};

class writer final : public remote::writing, public caller {
 public:
  writer(std::uint64_t size, std::uint32_t piece) : size_(size), piece_(piece) {}

  const std::string& path() const override { return path_; }
  std::uint64_t begin(std::uint64_t there) override {
    demand_unfinished();
    demand(!std::exchange(begun_, true), "a writing begins once");
    return at_ = std::min(there, size_ / 2);
  }
  next next_bytes(std::uint32_t at_most, std::vector<std::byte>& into) override {
    demand_unfinished();
    demand(begun_ && into.empty(), "bytes are asked for behind the beginning, into nothing");
    if (at_ == size_) return {remote::next_step::done, 0};
    into.resize(std::min<std::uint64_t>({at_most, piece_, size_ - at_}));
    return {remote::next_step::more, std::exchange(at_, at_ + into.size())};
  }
  remote::attributes final_attributes() const override { return {0644, {}, 1'000}; }
  void finished(const std::optional<remote::failure>& why, const remote::attributes&) override {
    finish(why);
    if (!why) demand(begun_ && at_ == size_, "a writing without a failure gave all bytes");
  }
  using caller::finished;

 private:
  const std::string path_ = "2013/.b.jpg.x.ferryfs-part";
  const std::uint64_t size_;
  const std::uint32_t piece_;
  std::uint64_t at_ = 0;
  bool begun_ = false;
};

// One answer, with attributes.
class asker final : public caller {
 public:
  explicit asker(bool wants_kind) : wants_kind_(wants_kind) {}
  void answer(const std::optional<remote::failure>& why, const remote::attributes& a) {
    finish(why);
    if (!why && wants_kind_) demand(a.has_kind(), "what was looked at is of a known kind");
    demand(a.size.value_or(0) <= remote::largest_size, "no size is beyond the largest");
  }

 private:
  const bool wants_kind_;
};

}  // namespace ferryfs::fuzz
