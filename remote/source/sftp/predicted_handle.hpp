// Speculation: READs and READDIRs that go with their OPEN or OPENDIR, by the handle that the server will most likely
// give. That saves a round trip. The answer to the OPEN shows whether the prediction was right; where it was not, the
// task requests the same again.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace ferryfs::remote::sftp {

// Predicts the handle that a server will give next. OpenSSH numbers handles from 0 and gives the one that was freed
// last (sftp-server.c, handle_new). While others are open that is nothing to rely on; and it alone offers its limits.
class handle_predictor {
 public:
  static constexpr bool enabled = true;  // false: no task speculates

  void set_openssh(bool is_openssh) noexcept { is_openssh_ = is_openssh; }
  void record_close(const std::string& handle) { next_ = handle; }
  // `sole_task`: the task that opens is the only one of the connection. Nothing: no prediction.
  std::optional<std::string> predict(bool sole_task) const {
    return enabled && is_openssh_ && sole_task ? std::optional(next_) : std::nullopt;
  }

 private:
  bool is_openssh_ = false;
  std::string next_ = std::string(4, '\0');  // the handle that was closed last, or the first that OpenSSH gives
};

// The handle of one file or directory: predicted, then given.
class predicted_handle {
 public:
  void predict(std::string handle) { value_ = std::move(handle); }
  // The server's answer to the OPEN.
  void set(std::string handle) {
    was_right_ = value_ == handle;
    value_ = std::move(handle);
    is_given_ = true;
  }
  const std::string& value() const noexcept { return value_; }
  bool is_given() const noexcept { return is_given_; }
  // The prediction was this handle; false before `set`.
  bool was_right() const noexcept { return was_right_; }

 private:
  std::string value_;
  bool is_given_ = false, was_right_ = false;
};

}  // namespace ferryfs::remote::sftp
