// The mount as a picture store: uploads, renames, deletes, of what is here and of what is still on the old server.
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("an upload is an ordinary file here, and known as new") {
  store s;
  const auto content = noise(300'000, 9);
  fs::create_directory(s / "20240103");
  write_file(s / "20240103/a.jpg", content);
  CHECK((read_file(s / "20240103/a.jpg") == content));
  CHECK((read_file(s.f.to / "20240103/a.jpg") == content));
  CHECK(fs::file_size(s / "20240103/a.jpg") == content.size());
  fs::permissions(s / "20240103/a.jpg", fs::perms(0640));
  set_mtime(s / "20240103/a.jpg", long_ago);
  struct stat st {};
  REQUIRE(::stat((s.f.to / "20240103/a.jpg").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0640);
  CHECK(st.st_mtim.tv_sec == long_ago);
  CHECK(files_in(s.mount->mountpoint(), "new") == 1);
  {
    std::ofstream more(s / "20240103/a.jpg", std::ios::app);
    more << "tail";
  }
  CHECK((read_file(s.f.to / "20240103/a.jpg") == content + "tail"));
  s.remount();
  CHECK((read_file(s / "20240103/a.jpg") == content + "tail"));
  CHECK(files_in(s.mount->mountpoint(), "new") == 1);
}

TEST_CASE("what is deleted is fetched by nobody, and does not come back") {
  store s;
  CHECK(fs::remove(s / "20240101/0.jpg"));
  CHECK(fs::remove_all(s / "20240102") == 4);
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(fs::exists(s / "20240101/0.jpg"));
    CHECK_FALSE(fs::exists(s / "20240102"));
    CHECK(files_in(s.mount->mountpoint(), "deleted") == 4);
    CHECK(files_in(s.mount->mountpoint(), "missing") == 2);
    rescan(s.mount->mountpoint());
    if (i == 0) s.remount();
  }
  CHECK_FALSE(s.downloaded());
  CHECK(fs::exists(s.f.from / "20240102/0.jpg"));
  SECTION("and its name can be used again") {
    fs::create_directory(s / "20240102");
    write_file(s / "20240102/0.jpg", "other");
    rescan(s.mount->mountpoint());
    CHECK(out_of({"ls", s / "20240102"}) == "0.jpg\n");
    CHECK(read_file(s / "20240102/0.jpg") == "other");
  }
}

TEST_CASE("what is missing is renamed without being fetched, and is the same picture later") {
  store s;
  fs::rename(s / "20240101/0.jpg", s / "20240101/renamed.jpg");
  fs::rename(s / "20240102", s / "moved");
  write_old(s.f.from / "20240102/late.jpg", noise(1000));
  for (int i = 0; i < 2; ++i) {
    CHECK(out_of({"ls", s.mount->mountpoint()}) == "20240101\nmoved\n");
    CHECK(out_of({"ls", s / "20240101"}) == "1.jpg\n2.jpg\nrenamed.jpg\n");
    CHECK(attribute(s / "20240101/renamed.jpg") == "remote");
    rescan(s.mount->mountpoint());
    CHECK(wait_until([&] { return fs::exists(s / "moved/late.jpg"); }));
    if (i == 0) s.remount();
  }
  CHECK_FALSE(s.downloaded());
  CHECK((read_file(s / "20240101/renamed.jpg") == noise(50'000, 0)));
  CHECK((read_file(s / "moved/2.jpg") == noise(50'000, 2)));
  CHECK((read_file(s / "moved/late.jpg") == noise(1000)));
  CHECK(wait_until([&] { return fs::exists(s.f.to / "moved/2.jpg"); }));
  CHECK_FALSE(fs::exists(s.f.to / "20240102"));
}

TEST_CASE("an upload that is renamed over a missing picture takes its place") {
  store s;
  write_file(s / "upload.tmp", "new bytes");
  fs::rename(s / "upload.tmp", s / "20240101/0.jpg");
  rescan(s.mount->mountpoint());
  CHECK(read_file(s / "20240101/0.jpg") == "new bytes");
  CHECK(read_file(s.f.to / "20240101/0.jpg") == "new bytes");
  CHECK((read_file(s.f.from / "20240101/0.jpg") == noise(50'000, 0)));
  s.remount();
  CHECK(read_file(s / "20240101/0.jpg") == "new bytes");
}

TEST_CASE("a missing picture that is overwritten is not fetched, one that is changed in part is") {
  store s;
  write_file(s / "20240101/0.jpg", "short");
  CHECK(read_file(s / "20240101/0.jpg") == "short");
  CHECK(refused(::truncate((s / "20240101/1.jpg").c_str(), 0)) == 0);
  CHECK(fs::file_size(s / "20240101/1.jpg") == 0);
  CHECK_FALSE(s.downloaded());
  CHECK(files_in(s.mount->mountpoint(), "conflict") == 2);
  {
    std::ofstream more(s / "20240102/0.jpg", std::ios::app);
    more << "tail";
  }
  CHECK((read_file(s / "20240102/0.jpg") == noise(50'000, 0) + "tail"));
  CHECK(refused(::truncate((s / "20240102/1.jpg").c_str(), 777)) == 0);
  CHECK((read_file(s / "20240102/1.jpg") == noise(50'000, 1).substr(0, 777)));
  for (const char* day : {"20240101/0.jpg", "20240102/0.jpg", "20240102/1.jpg"})
    CHECK((read_file(s.f.from / day).size() == 50'000));
}

TEST_CASE("a missing picture that is read and written through one open file has both") {
  store s;
  for (const std::size_t read : {std::size_t{10}, std::size_t{50'000}}) {
    const auto name = read == 10 ? "20240101/0.jpg" : "20240101/1.jpg";
    auto content = noise(50'000, read == 10 ? 0 : 1);
    {
      const descriptor file(checked(::open((s / name).c_str(), O_RDWR | O_CLOEXEC), name));
      std::string bytes(read, ' ');
      CHECK(::pread(file.get(), bytes.data(), read, 0) == static_cast<ssize_t>(read));
      CHECK(bytes == content.substr(0, read));
      CHECK(::pwrite(file.get(), "changed", 7, 100) == 7);
    }
    content.replace(100, 7, "changed");
    CHECK(wait_until([&] { return attribute(s / name) != "fetching"; }));
    CHECK((read_file(s / name) == content));
    CHECK((read_file(s.f.to / name) == content));
  }
  s.remount();
  CHECK(read_file(s / "20240101/1.jpg").substr(100, 7) == "changed");
}

TEST_CASE("space is allocated for a missing picture, or taken from it, when it is here") {
  store s;
  const descriptor file(checked(::open((s / "20240101/0.jpg").c_str(), O_RDWR | O_CLOEXEC), "0.jpg"));
  CHECK(refused(::fallocate(file.get(), 0, 0, 70'000)) == 0);
  CHECK(fs::file_size(s / "20240101/0.jpg") == 70'000);
  CHECK(refused(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8192)) == 0);
  auto content = noise(50'000, 0) + std::string(20'000, '\0');
  content.replace(0, 8192, std::string(8192, '\0'));
  CHECK((read_file(s / "20240101/0.jpg") == content));
  CHECK((read_file(s.f.to / "20240101/0.jpg") == content));
}

TEST_CASE("what is set of a missing picture is shown at once, and stays when it arrives") {
  store s;
  const auto path = s / "20240101/0.jpg";
  CHECK(refused(::chmod(path.c_str(), 0600)) == 0);
  set_mtime(path, long_ago + 77);
  const auto shown = [&] { return out_of({"stat", "-c", "%a %Y %s", path}); };
  CHECK(shown() == "600 1700000077 50000\n");
  CHECK_FALSE(s.downloaded());
  CHECK((read_file(path) == noise(50'000, 0)));
  CHECK(wait_until([&] { return attribute(path) == "local"; }));
  CHECK(shown() == "600 1700000077 50000\n");
  CHECK(out_of({"stat", "-c", "%a %Y", s.f.to / "20240101/0.jpg"}) == "600 1700000077\n");
}

TEST_CASE("names behave as a file system's do") {
  store s;
  const auto a = s / "20240101/0.jpg", b = s / "20240101/1.jpg", none = s / "none";
  CHECK(refused(::link(a.c_str(), none.c_str())) == EPERM);
  CHECK(refused(::mkdir(a.c_str(), 0755)) == EEXIST);
  CHECK(refused(::rmdir((s / "20240101").c_str())) == ENOTEMPTY);
  CHECK(refused(::rmdir(a.c_str())) == ENOTDIR);
  CHECK(refused(::unlink((s / "20240101").c_str())) == EISDIR);
  CHECK(refused(::unlink(none.c_str())) == ENOENT);
  CHECK(refused(::unlink((s / std::string(256, 'x')).c_str())) == ENAMETOOLONG);
  CHECK(refused(::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_NOREPLACE)) == EEXIST);
  CHECK(refused(::rename((s / "20240101").c_str(), (s / "20240102").c_str())) == ENOTEMPTY);
  CHECK(refused(::mkdir((s / ".ferryfs/x").c_str(), 0755)) == EPERM);
  CHECK(refused(::rename(a.c_str(), (s / ".ferryfs/a").c_str())) == EPERM);
  CHECK(refused(::symlink("20240101/0.jpg", (s / "latest").c_str())) == 0);
  CHECK((read_file(s / "latest") == noise(50'000, 0)));
  CHECK(refused(::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE)) == 0);
  CHECK((read_file(a) == noise(50'000, 1)));
  CHECK((read_file(b) == noise(50'000, 0)));
  fs::create_directories(s / "x/y");
  CHECK(refused(::rename((s / "x").c_str(), (s / "z").c_str())) == 0);
  CHECK(refused(::rmdir((s / "z/y").c_str())) == 0);
  CHECK(refused(::rmdir((s / "z").c_str())) == 0);
}

TEST_CASE("a file that is removed while it is open is still there for who has it open") {
  store s;
  write_file(s / "a", "content");
  const descriptor file(checked(::open((s / "a").c_str(), O_RDWR | O_CLOEXEC), "a"));
  CHECK(fs::remove(s / "a"));
  CHECK(::pwrite(file.get(), "CON", 3, 0) == 3);
  std::string bytes(7, ' ');
  CHECK(::pread(file.get(), bytes.data(), 7, 0) == 7);
  CHECK(bytes == "CONtent");
  struct stat st {};
  CHECK(::fstat(file.get(), &st) == 0);
  CHECK(st.st_size == 7);
}

TEST_CASE("what is made and read in a directory while it is renamed is found in it") {
  store s;
  fs::create_directories(s / "a/sub");
  write_file(s / "a/sub/read", "content");
  const descriptor sub(checked(::open((s / "a/sub").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "sub"));
  std::atomic<bool> ends = false;
  int refusals = 0, made = 0;
  {
    std::jthread renames([&] {
      for (int i = 0; !ends; ++i)
        ::rename((s / (i % 2 == 0 ? "a" : "b")).c_str(), (s / (i % 2 == 0 ? "b" : "a")).c_str());
    });
    for (; made < 300; ++made) {
      const auto name = std::to_string(made);
      refusals += refused(::mkdirat(sub.get(), name.c_str(), 0755)) != 0;
      refusals += refused(::mknodat(sub.get(), (name + ".jpg").c_str(), S_IFREG | 0644, 0)) != 0;
      refusals += refused(::fchmodat(sub.get(), (name + ".jpg").c_str(), 0600, 0)) != 0;
      const int read = ::openat(sub.get(), "read", O_RDONLY | O_CLOEXEC);
      refusals += refused(read) != 0;
      if (read >= 0) ::close(read);
    }
    ends = true;
  }
  CHECK(refusals == 0);
  auto expected = contents_below(s.f.to);
  CHECK(expected.size() == 3 + 2 * static_cast<std::size_t>(made));
  expected.merge(contents_below(s.f.from));
  CHECK(difference(contents_below(s.mount->mountpoint()), expected) == "");
}

TEST_CASE("uploads, renames and deletes while all is replicated end in what was asked for") {
  const ferry f;
  for (int i = 0; i < 300; ++i)
    write_old(f.from / ("202401" + std::to_string(10 + i % 10)) / (std::to_string(i) + ".jpg"),
              noise(20'000, static_cast<unsigned>(i)));
  mount_fixture mount(f.options());
  tree expected;
  for (int i = 0; i < 300; ++i) {
    const fs::path day = "202401" + std::to_string(10 + i % 10), name = std::to_string(i) + ".jpg";
    if (i % 3 == 0) {
      CHECK(fs::remove(mount / day / name));
    } else if (i % 3 == 1) {
      fs::rename(mount / day / name, mount / day / ("r" + name.string()));
      expected[day / ("r" + name.string())] = noise(20'000, static_cast<unsigned>(i));
    } else {
      write_file(mount / day / "upload", noise(100, static_cast<unsigned>(i)));
      fs::rename(mount / day / "upload", mount / day / name);
      expected[day / name] = noise(100, static_cast<unsigned>(i));
    }
  }
  fs::rename(mount / "20240115", mount / "moved");
  tree moved;
  for (const auto& [path, content] : expected)
    moved[path.starts_with("20240115/") ? "moved/" + path.substr(9) : path] = content;
  rescan(mount.mountpoint());
  CHECK(wait_until([&] { return files_in(mount.mountpoint(), "missing") == 0; }, std::chrono::seconds(30)));
  CHECK(files_in(mount.mountpoint(), "conflict") == 100);  // saved by a rename: pictures that were overwritten
  CHECK(mount.stop() == 0);
  tree here = contents_below(f.to);
  std::erase_if(here, [](const auto& entry) { return entry.second == "/"; });
  CHECK(difference(moved, here) == "");
}
