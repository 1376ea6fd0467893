#include "remote/engine/durable/decisions_file.hpp"

#include "tests/catch.hpp"
#include "tests/doubles/files.hpp"
#include "tests/doubles/temp_dir.hpp"

using namespace ferryfs;
using namespace ferryfs::test;

TEST_CASE("decisions are added to their file, and those that were on their way when it ended are not added twice") {
  const temp_dir dir{"decisions"};
  const std::string path = dir / "decisions";
  CHECK(remote::length_of_decisions(path) == 0);
  CHECK(remote::append_decisions(path, 0, "one\ntwo\n") == 8);
  SECTION("after them") {
    CHECK(remote::append_decisions(path, 8, "three\n") == 14);
    CHECK(read_file(path) == "one\ntwo\nthree\n");
  }
  SECTION("whole, and the index did not hear of it") {
    CHECK(remote::append_decisions(path, 4, "two\n") == 8);
    CHECK(remote::append_decisions(path, 4, "two\nthree\n") == 14);
    CHECK(read_file(path) == "one\ntwo\nthree\n");
  }
  SECTION("in part") {
    write_file(path, "one\nt");
    CHECK(remote::append_decisions(path, 4, "two\nthree\n") == 14);
    CHECK(read_file(path) == "one\ntwo\nthree\n");
  }
  SECTION("lines that somebody else wrote there stay") {
    write_file(path, "one\ntwo\nmine\n");
    CHECK(remote::append_decisions(path, 8, "three\n") == 19);
    CHECK(read_file(path) == "one\ntwo\nmine\nthree\n");
  }
  SECTION("one that somebody left without its end is no part of the next") {
    write_file(path, "one\ntwo\nmi");
    CHECK(remote::append_decisions(path, 8, "three\n") == 17);
    CHECK(read_file(path) == "one\ntwo\nmi\nthree\n");
  }
  SECTION("a file that somebody took away begins anew") {
    std::filesystem::remove(path);
    CHECK(remote::append_decisions(path, 8, "three\n") == 6);
    CHECK(read_file(path) == "three\n");
  }
}

TEST_CASE("decisions are read from where one stopped to where one began to add others") {
  const temp_dir dir{"decisions"};
  const std::string path = dir / "decisions";
  write_file(path, "one\ntwo\nthree\nfour");
  std::vector<std::pair<std::string, std::uint64_t>> read;
  const auto take = [&](const std::string& line, std::uint64_t end) { read.emplace_back(line, end); };
  remote::read_decisions(path, 4, 14, take);
  CHECK(read == decltype(read){{"two", 8}, {"three", 14}});
  remote::read_decisions(dir / "none", 0, 14, take);
  CHECK(read.size() == 2);
}

TEST_CASE("a decision without its end is not read: it may have lost some of its path") {
  const temp_dir dir{"decisions"};
  write_file(dir / "decisions", "one\nt\tdeleted\tday");
  std::vector<std::string> read;
  remote::read_decisions(dir / "decisions", 0, 1000,
                         [&](const std::string& line, std::uint64_t) { read.push_back(line); });
  CHECK(read == std::vector<std::string>{"one"});
}

TEST_CASE("a link in place of the file of decisions is not followed") {
  const temp_dir dir{"decisions"};
  write_file(dir / "other", "kept");
  std::filesystem::create_symlink(dir / "other", dir / "decisions");
  CHECK_THROWS(remote::append_decisions(dir / "decisions", 0, "one\n"));
  CHECK(read_file(dir / "other") == "kept");
}
