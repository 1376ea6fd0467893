// ferryfs-rogue-sftp: an SFTP server on stdin and stdout, for sshd's Subsystem, that misbehaves on request.
#include <csignal>
#include <exception>
#include <iostream>
#include <string>

#include "tests/doubles/rogue_session.hpp"

int main(int argc, char** argv) {
  using namespace ferryfs::test;
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: ferryfs-rogue-sftp BEHAVIOUR[@REQUEST] [SEED]\n";
    for (const auto& how : behaviours()) std::cerr << "  " << how.name << (how.legal ? " (legal)\n" : "\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto seed = argc == 3 ? static_cast<std::uint32_t>(std::stoul(argv[2])) : 1U;
    return rogue_session(behaviour_of(argv[1]), seed).run();
  } catch (const std::exception& error) {
    std::cerr << "ferryfs-rogue-sftp: " << error.what() << '\n';
    return 2;
  }
}
