#include "tests/mount/mount_fixture.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <sstream>
#include <system_error>

#include "tests/catch.hpp"
#include "tests/doubles/mounts.hpp"
#include "tests/doubles/process_tree.hpp"
#include "tests/doubles/wait_until.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

bool is_letter(char byte) { return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_'; }

bool holds_word(const std::string& line, const std::string& word) {
  for (auto at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !is_letter(line[at - 1])) && (end == line.size() || !is_letter(line[end]))) return true;
  }
  return false;
}

bool is_alarming(std::string line) {
  std::transform(line.begin(), line.end(), line.begin(), [](unsigned char byte) { return std::tolower(byte); });
  return holds_word(line, "error") || line.starts_with("terminate called") || holds_word(line, "assertion");
}

bool is_of_sanitizer(const std::string& line) {
  return line.find("Sanitizer") != line.npos || line.find("runtime error:") != line.npos;
}

}  // namespace

process_result run_ferryfs(const std::vector<std::string>& arguments, std::chrono::milliseconds within) {
  std::vector<std::string> command{FERRYFS_BINARY};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command, within);
}

void need_fuse() {
  // There may be a device that a container does not let be opened.
  const descriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device) skip("/dev/fuse: " + std::generic_category().message(errno));
}

mount_fixture::mount_fixture(mount_options options, unstarted)
    : options_(std::move(options)),
      over_destination_(options_.mountpoint.empty() || options_.mountpoint == options_.destination) {
  std::filesystem::create_directories(options_.destination);
  if (over_destination_) options_.mountpoint = options_.destination;
  std::filesystem::create_directories(options_.mountpoint);
  // The kernel's list of mounts shows paths without links.
  options_.mountpoint = std::filesystem::canonical(options_.mountpoint);
  before_ = mounts_below(options_.mountpoint).size();
  mark_ = "FERRYFS_TEST_MOUNT=" + options_.mountpoint.string();
}

// Delegates, so that the destructor cleans up after a start that fails.
mount_fixture::mount_fixture(mount_options options) : mount_fixture(std::move(options), unstarted{}) {
  need_fuse();
  start();
}

mount_fixture::~mount_fixture() {
  try {
    finish();
  } catch (...) {
    clean();  // Catch throws when it is to stop at the first failure, which it has recorded by then
  }
}

std::vector<std::string> mount_fixture::command() const {
  std::vector<std::string> words{options_.binary, "mount", options_.source, options_.destination};
  if (!over_destination_) words.push_back(options_.mountpoint);
  if (options_.foreground) words.emplace_back("-f");
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  return words;
}

void mount_fixture::start() {
  const bool dead_mount = mounted();
  earlier_log_ = log();
  finished_ = killed_ = false;
  process_.emplace(command(), process_options{{}, {mark_}, false});
  if (!options_.foreground && process_->wait(options_.mounted_within).code != 0) {
    FAIL("ferryfs does not go into the background:\n" << process_->err());
  }
  // A dead mount does not answer. Where something does, it may be the directory below, between the two mounts: so the
  // list is asked after the answer.
  const auto is_up = [&] { return (!dead_mount || answers()) && mounted(); };
  const bool decided = wait_until([&] { return is_up() || !runs(); }, options_.mounted_within);
  if (!decided || !runs()) FAIL("ferryfs does not mount " << options_.mountpoint << ":\n" << process_->err());
}

// Asks in a process that can be killed: a mount that is not served as it should be may hang whoever asks.
bool mount_fixture::answers() const { return run({"stat", "-f", options_.mountpoint}, 2s).code == 0; }

bool mount_fixture::mounted() const {
  const auto all = mounts_below(options_.mountpoint);
  return std::any_of(all.begin() + static_cast<std::ptrdiff_t>(std::min(before_, all.size())), all.end(),
                     [&](const mount_entry& m) { return m.point == options_.mountpoint; });
}

std::vector<pid_t> mount_fixture::running() const { return bearing(mark_); }

// The mark alone would not do: a process has no environment yet while it is being started.
bool mount_fixture::runs() {
  if (options_.foreground && process_ && !process_->ended()) return true;
  return !running().empty();
}

pid_t mount_fixture::pid() const {
  if (options_.foreground) return process_->pid();
  const auto pids = running();
  return pids.empty() ? -1 : pids.front();
}

std::string mount_fixture::log() const { return earlier_log_ + (process_ ? process_->err() : ""); }

void mount_fixture::signal(int number) {
  if (const pid_t to = runs() ? pid() : -1; to > 0) ::kill(to, number);
}

int mount_fixture::stop(std::chrono::milliseconds within) {
  signal(SIGTERM);
  if (!wait_until([&] { return !runs(); }, within)) {
    FAIL_CHECK("ferryfs does not end within " << within.count() << " ms of SIGTERM");
    kill9();
  }
  return process_->wait().code;
}

void mount_fixture::kill9() {
  if (process_) process_->signal(SIGKILL);
  for (const pid_t pid : running()) ::kill(pid, SIGKILL);
  wait_until([&] { return !runs(); });
  killed_ = true;
}

void mount_fixture::finish() {
  if (std::exchange(finished_, true)) return;
  if (runs()) stop();
  if (!killed_) judge_end();
  judge_log();
  clean();
}

void mount_fixture::judge_end() {
  const auto code = process_->wait().code;
  if (code >= 128) FAIL_CHECK("ferryfs was ended by signal " << code - 128);
  // The parent of a daemon may be gone a moment before the daemon's last act.
  if (!wait_until([&] { return !mounted(); }, 2s)) FAIL_CHECK("left mounted: " << options_.mountpoint);
  for (const pid_t pid : running()) FAIL_CHECK("left running: " << described(pid));
}

void mount_fixture::judge_log() const {
  std::istringstream lines(log());
  for (std::string line; std::getline(lines, line);) {
    const auto holds = [&](const std::string& text) { return line.find(text) != line.npos; };
    const bool expected = std::any_of(expected_.begin(), expected_.end(), holds);
    if (is_of_sanitizer(line) || (is_alarming(line) && !expected)) FAIL_CHECK("ferryfs said: " << line);
  }
}

void mount_fixture::clean() noexcept {
  try {
    for (const pid_t pid : running()) kill_tree(pid);
    detach_below(options_.mountpoint, before_);
  } catch (const std::exception& error) {
    std::cerr << "cannot clean up: " << error.what() << '\n';
  }
}

}  // namespace ferryfs::test
