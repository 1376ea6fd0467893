// Runs a target without libFuzzer: every file of a corpus as it is, then with a few bytes changed, always the same
// ones. Usage: fuzz_NAME FILE-OR-DIRECTORY...
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "tests/fuzz/input.hpp"

namespace {

using bytes = std::vector<std::uint8_t>;

constexpr int changes = 500;  // of each file

void run(const bytes& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

bytes changed(bytes b, const bytes& other, std::mt19937& random) {
  for (auto times = random() % 4 + 1; times > 0; --times) {
    const auto at = static_cast<std::ptrdiff_t>(random() % (b.size() + 1));
    switch (random() % 5) {
      case 0:
        b.insert(b.begin() + at, static_cast<std::uint8_t>(random()));
        break;
      case 1:
        b.resize(static_cast<std::size_t>(at));
        break;
      case 2:
        b.erase(b.begin() + at,
                b.begin() + std::min(at + 1 + static_cast<std::ptrdiff_t>(random() % 8), std::ssize(b)));
        break;
      case 3:
        b.insert(b.begin() + at, other.begin(),
                 other.begin() + static_cast<std::ptrdiff_t>(random() % (other.size() + 1)));
        break;
      default:
        if (at < std::ssize(b)) b[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random());
    }
  }
  return b;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<bytes> corpus;
  const auto add = [&](const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  };
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      add(argv[i]);
      continue;
    }
    std::vector<std::filesystem::path> files{std::filesystem::directory_iterator(argv[i]), {}};
    std::sort(files.begin(), files.end());
    std::for_each(files.begin(), files.end(), add);
  }
  ferryfs::fuzz::demand(!corpus.empty(), "a corpus has files");
  std::mt19937 random{16};
  for (const auto& file : corpus) {
    run(file);
    for (int i = 0; i < changes; ++i) run(changed(file, corpus[random() % corpus.size()], random));
  }
  std::printf("%zu files, each with %d changes: nothing broken\n", corpus.size(), changes);
}
