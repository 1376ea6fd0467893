// A source that is not there, or is not to be asked: every request ends at once, on the thread that made it.
#pragma once

#include <string>
#include <utility>

#include "remote/source/archive.hpp"

namespace ferryfs::remote {

class absent_archive final : public archive {
 public:
  explicit absent_archive(std::string why) : why_{cause::unreachable, std::move(why)} {}

  void list(const std::string&, std::shared_ptr<listing> to) override { to->finished(why_); }
  void stat(const std::string&, std::function<void(const std::optional<failure>&, const attributes&)> done) override {
    done(why_, {});
  }
  void read(std::shared_ptr<reading> to, priority) override { to->finished(why_, {}); }
  void digest(const std::string&, digest_callback done) override { done(why_, {}); }
  void promote(const std::shared_ptr<reading>&) override {}
  void write(std::shared_ptr<writing> from) override { from->finished(why_, {}); }
  void make_directory(const std::string&, std::uint32_t, change_callback done) override { done(why_, {}); }
  void make_link(const std::string&, const std::string&, change_callback done) override { done(why_, {}); }
  void rename(const std::string&, const std::string&, bool, change_callback done) override { done(why_, {}); }
  void remove(const std::string&, change_callback done) override { done(why_, {}); }
  bool can_replace() const override { return false; }
  health state() const override { return {false, why_.text}; }
  void set_listener(std::function<void(const health&)>) override {}
  void stop() override {}
  std::size_t max_in_flight() const override { return 1; }

 private:
  const failure why_;
};

}  // namespace ferryfs::remote
