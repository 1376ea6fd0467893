// Extended attributes: the destination's own, and ferryfs's.
#include <sys/xattr.h>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

int set(const fs::path& path, const char* name, const std::string& value, int flags = 0) {
  return refused(::lsetxattr(path.c_str(), name, value.data(), value.size(), flags));
}

std::string get(const fs::path& path, const char* name) {
  std::string value(1000, ' ');
  const auto size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  return size < 0 ? "(" + std::to_string(errno) + ")" : value.substr(0, static_cast<std::size_t>(size));
}

// The names, each with a NUL behind it, as a list of words. Those of the machine's security module are not ours.
std::string listed(const fs::path& path) {
  std::string names(1000, ' ');
  const auto size = ::llistxattr(path.c_str(), names.data(), names.size());
  if (size < 0) return "(" + std::to_string(errno) + ")";
  std::string words;
  for (std::size_t from = 0; from < static_cast<std::size_t>(size);) {
    const std::string name = names.c_str() + from;
    from += name.size() + 1;
    if (!name.starts_with("security.")) words += name + " ";
  }
  return words;
}

const std::string absent = "(" + std::to_string(ENODATA) + ")";

}  // namespace

TEST_CASE("an attribute that is set is the destination's file's, and goes with it") {
  store s;
  const auto a = s / "20240101/a.jpg", b = s / "20240101/b.jpg";
  write_file(a, "a");
  CHECK(set(a, "user.author", "me") == 0);
  CHECK(set(a, "user.author", "you", XATTR_CREATE) == EEXIST);
  CHECK(set(a, "user.empty", "") == 0);
  CHECK(get(s.f.to / "20240101/a.jpg", "user.author") == "me");
  s.remount();
  CHECK(get(a, "user.author") == "me");
  CHECK(listed(a) == listed(s.f.to / "20240101/a.jpg"));
  fs::rename(a, b);
  CHECK(get(b, "user.author") == "me");
  CHECK(refused(::lremovexattr(b.c_str(), "user.author")) == 0);
  CHECK(refused(::lremovexattr(b.c_str(), "user.author")) == ENODATA);
  CHECK(listed(b) == "user.empty ");
  CHECK(listed(s.f.to / "20240101/b.jpg") == "user.empty ");
  write_file(a, "other");
  fs::rename(a, b);
  CHECK(listed(b).empty());
}

TEST_CASE("a missing picture has no attributes, and is fetched when it is given one") {
  store s;
  const auto path = s / "20240101/0.jpg";
  CHECK(listed(path).empty());
  CHECK(get(path, "user.author") == absent);
  CHECK(refused(::lremovexattr(path.c_str(), "user.author")) == ENODATA);
  CHECK_FALSE(s.downloaded());
  CHECK(set(path, "user.author", "me") == 0);
  CHECK(get(path, "user.author") == "me");
  CHECK((read_file(s.f.to / "20240101/0.jpg") == noise(50'000, 0)));
  CHECK(get(s.f.to / "20240101/0.jpg", "user.author") == "me");
  CHECK(attribute(path) == "local");
}

TEST_CASE("a directory that is not here yet can be given an attribute, and shows the mode it had") {
  store s;
  const auto day = s / "20240101";
  const auto mode = fs::status(day).permissions();
  CHECK(set(day, "user.author", "me") == 0);
  CHECK(get(s.f.to / "20240101", "user.author") == "me");
  CHECK(fs::status(day).permissions() == mode);
  CHECK_FALSE(s.downloaded());
}

TEST_CASE("ferryfs's own attributes are answered by name, listed by nothing, and set by nobody") {
  store s;
  const auto path = s / "20240101/0.jpg";
  CHECK(set(path, "user.ferryfs.state", "local") == EPERM);
  CHECK(set(path, "user.ferryfs.mine", "x") == EPERM);
  CHECK(refused(::lremovexattr(path.c_str(), "user.ferryfs.state")) == EPERM);
  CHECK(set(s / ".ferryfs/status.json", "user.author", "me") == EPERM);
  CHECK(get(path, "user.ferryfs.state") == "remote");
  CHECK(get(path, "user.ferryfs.none") == absent);
  CHECK_FALSE(s.downloaded());
  CHECK((read_file(path) == noise(50'000, 0)));
  CHECK(wait_until([&] { return attribute(path) == "local"; }));
  CHECK(get(path, "user.ferryfs.sha256").size() == 64);
  CHECK(listed(path).empty());
}
