#include "tests/doubles/refused_syscalls.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <exception>
#include <thread>

#include "tests/catch.hpp"

namespace ferryfs::test {
namespace {

sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)); }

// A seccomp program: each call's number is compared, then, where asked for, one of its arguments.
std::vector<sock_filter> program_of(const std::vector<refused_syscall>& calls) {
  std::vector<sock_filter> program;
  for (const auto& c : calls) {
    const bool looks = c.flags_at >= 0;
    program.push_back(load(offsetof(seccomp_data, nr)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(c.number), 0,
                               static_cast<unsigned char>(looks ? 3 : 1)));
    if (looks) {
      program.push_back(load(offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(c.flags_at)));
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, c.flags, 0, 1));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(c.error)));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return program;
}

bool refuse(const std::vector<refused_syscall>& calls) {
  auto filter = program_of(calls);
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

}  // namespace

void run_with_refused(const std::vector<refused_syscall>& calls, const std::function<void()>& code) {
  bool refused = false;
  std::exception_ptr thrown;
  std::thread{[&] {
    refused = refuse(calls);
    if (!refused) return;
    try {
      code();
    } catch (...) {
      thrown = std::current_exception();
    }
  }}.join();
  if (!refused) skip("the kernel filters no system calls here");
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace ferryfs::test
