// What a program does on the destination's side, through the mount. How it reaches the engine is another's matter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace ferryfs::test {

// Each returns 0 or an errno, as the system call of its name. Paths are those of the view.
class user {
 public:
  // An open file; closed at its end, unless close() was called.
  class file {
   public:
    virtual ~file() = default;
    virtual int write(const std::string& bytes, std::uint64_t at) = 0;
    // All bytes, from the first to the last.
    virtual int read(std::string& to) = 0;
    virtual int fsync() = 0;
    virtual int close() = 0;
  };
  enum class how { read, change, truncate };

  virtual ~user() = default;
  virtual int create(const std::string& path, std::unique_ptr<file>& to) = 0;
  virtual int open(const std::string& path, how h, std::unique_ptr<file>& to) = 0;
  virtual int make_directory(const std::string& path) = 0;
  virtual int remove(const std::string& path) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;
  // fsync(2) of a directory.
  virtual int sync_directory(const std::string& path) = 0;
};

}  // namespace ferryfs::test
