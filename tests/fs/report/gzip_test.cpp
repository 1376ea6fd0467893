// The gzip files of reports.
#include "fs/report/gzip.hpp"

#include <fcntl.h>

#include "index/base/error.hpp"
#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/process.hpp"
#include "tests/doubles/temp_dir.hpp"

namespace ferryfs::test {
namespace {

unique_fd to_read(const std::filesystem::path& path) { return unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}; }

void write_gzip(const std::filesystem::path& path, const std::string& text) {
  const unique_fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  fs::gzip_writer to{file.get(), path};
  to.add(text);
  to.finish();
}

std::string read_gzip(const std::filesystem::path& path) {
  fs::gzip_lines lines{to_read(path), path};
  std::string text;
  for (std::string line; lines.next(line);) text += line + '\n';
  return text;
}

TEST_CASE("a gzip file of a report is one that zcat reads, and gives its lines again", "[gzip]") {
  const temp_dir dir{"gzip"};
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919 % 100'003) + " day/" + std::to_string(i) + ".jpg\n";
  for (const auto& content : {std::string(), std::string("1 a\n"), text}) {
    write_gzip(dir / "list.gz", content);
    CHECK((run({"zcat", dir / "list.gz"}).out == content));
    CHECK((read_gzip(dir / "list.gz") == content));
  }
}

TEST_CASE("a gzip file that is cut off, damaged or none is said to be, wherever it is", "[gzip]") {
  const temp_dir dir{"gzip"};
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * 7919 % 100'003) + " day/" + std::to_string(i) + ".jpg\n";
  write_gzip(dir / "list.gz", text);
  const std::string good = read_file(dir / "list.gz");
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, good.size() / 2, good.size() - 1}) {
    INFO("cut off after " << size);
    write_file(dir / "bad.gz", good.substr(0, size));
    CHECK_THROWS_AS(read_gzip(dir / "bad.gz"), error);
  }
  std::string bad = good;
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 0x10);
  write_file(dir / "bad.gz", bad);
  CHECK_THROWS_AS(read_gzip(dir / "bad.gz"), error);
  write_file(dir / "bad.gz", "this is no gzip file\n");
  CHECK_THROWS_AS(read_gzip(dir / "bad.gz"), error);
  write_gzip(dir / "endless.gz", std::string(3 << 20, 'x'));
  CHECK_THROWS_AS(read_gzip(dir / "endless.gz"), error);
}

TEST_CASE("a full disk is said in one line with the file's name", "[gzip]") {
  const unique_fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  fs::gzip_writer to{full.get(), "reports/list.gz"};
  CHECK_THROWS_WITH(to.finish(), contains_text("reports/list.gz: No space left"));
}

}  // namespace
}  // namespace ferryfs::test
