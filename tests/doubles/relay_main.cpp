// ferryfs-relay: the relay for scripts. Prints its port, then obeys lines on stdin; ends by a signal, or by `quit`.
#include <unistd.h>

#include <charconv>
#include <exception>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/doubles/relay.hpp"

namespace {

using namespace ferryfs::test;

constexpr auto usage =
    "usage: ferryfs-relay --to 127.0.0.1:PORT [--listen PORT] [--delay-ms 25] [--in-flight 6M] [--rate BYTES]\n"
    "  sizes take K, M or G, in powers of 1000; the delay is one way, the rate a second and direction, 0 for no limit\n"
    "  on stdin: delay MS | rate BYTES | stall | go | cut | refuse | accept | counts | quit   (each is answered by a "
    "line)\n";

double number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::map<std::string_view, double> units{{"", 1}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}};
  if (error != std::errc{} || value < 0 || !units.contains(unit)) {
    throw std::invalid_argument("not a number: " + std::string(text));
  }
  return value * units.at(unit);
}

std::uint64_t bytes(std::string_view text) { return static_cast<std::uint64_t>(number(text)); }

std::uint16_t port(std::string_view text) {
  if (number(text) > 65535) throw std::invalid_argument("not a port: " + std::string(text));
  return static_cast<std::uint16_t>(bytes(text));
}

std::chrono::microseconds milliseconds(std::string_view text) {
  return std::chrono::microseconds(static_cast<std::int64_t>(number(text) * 1000));
}

std::uint16_t destination(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto host = text.substr(0, colon);
  if (colon == text.npos || (host != "127.0.0.1" && host != "localhost")) {
    throw std::invalid_argument("only ports of 127.0.0.1 are relayed, not " + std::string(text));
  }
  return port(text.substr(colon + 1));
}

relay_options parsed(const std::vector<std::string>& arguments) {
  relay_options options;
  for (std::size_t at = 0; at + 1 < arguments.size(); at += 2) {
    const auto& name = arguments[at];
    const auto& value = arguments[at + 1];
    if (name == "--listen") {
      options.listen = port(value);
    } else if (name == "--to") {
      options.port = destination(value);
    } else if (name == "--delay-ms") {
      options.delay = milliseconds(value);
    } else if (name == "--in-flight") {
      options.in_flight = bytes(value);
    } else if (name == "--rate") {
      options.rate = bytes(value);
    } else {
      throw std::invalid_argument("unknown option " + name);
    }
  }
  if (arguments.size() % 2 != 0) throw std::invalid_argument("a value is missing after " + arguments.back());
  if (options.port == 0) throw std::invalid_argument("--to is missing");
  if (options.in_flight == 0) throw std::invalid_argument("--in-flight must be more than 0");
  return options;
}

std::string obey(relay& link, const std::string& line) {
  std::istringstream words(line);
  std::string command, value;
  words >> command >> value;
  if (command == "delay") {
    link.delay(milliseconds(value));
  } else if (command == "rate") {
    link.rate(bytes(value));
  } else if (command == "stall") {
    link.stall();
  } else if (command == "go") {
    link.go();
  } else if (command == "cut") {
    link.cut();
  } else if (command == "refuse") {
    link.refuse();
  } else if (command == "accept") {
    link.accept();
  } else if (command == "counts") {
    const auto counts = link.counts();
    std::ostringstream text;
    text << "accepted " << counts.accepted << " open " << counts.open << " up " << counts.bytes_up << " down "
         << counts.bytes_down << " held " << counts.held_most;
    return text.str();
  } else {
    throw std::invalid_argument("unknown command " + command);
  }
  return "ok " + line;
}

void serve(relay& link) {
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "quit") return;
    try {
      std::cout << obey(link, line) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "error " << error.what() << std::endl;
    }
  }
  // A shell gives its background jobs /dev/null to read: the end of the commands isn't the end of the relay.
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    relay link(parsed({argv + 1, argv + argc}));
    std::cout << link.port() << std::endl;
    serve(link);
    return 0;
  } catch (const std::invalid_argument& error) {
    std::cerr << "ferryfs-relay: " << error.what() << '\n' << usage;
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "ferryfs-relay: " << error.what() << '\n';
    return 4;
  }
}
