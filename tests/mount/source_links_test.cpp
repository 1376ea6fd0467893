// Links of the old server that lead out of the archive: nobody is led by them.
#include <dirent.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// The errno of a look at where a link leads; 0: it is told.
int refusal_of(const fs::path& link) {
  std::array<char, 4096> target{};
  return refused(::readlink(link.c_str(), target.data(), target.size()));
}

bool stands(const fs::path& path) { return fs::exists(fs::symlink_status(path)); }

// The errno of making a file there.
int refusal_to_write(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  const int problem = refused(fd);
  if (fd >= 0) ::close(fd);
  return problem;
}

// One day with a picture and links, beside a directory that is none of the archive's.
struct led_out {
  ferry f;
  fs::path outside = f.dir / "outside";
  std::optional<mount_fixture> mount;

  explicit led_out(const std::vector<std::string>& more = {}) {
    write_file(outside / "file", "secret");
    write_old(f.from / "20240101/1.jpg", noise(50'000));
    fs::create_symlink("1.jpg", f.from / "20240101/last.jpg");
    fs::create_symlink(outside / "file", f.from / "20240101/x.jpg");
    fs::create_symlink("../../outside/file", f.from / "20240101/rel.jpg");
    fs::create_symlink("..", f.from / "20240101/up");
    fs::create_symlink("20240101/up/../outside/file", f.from / "by-up.jpg");
    fs::create_symlink(outside, f.from / "d");
    mount.emplace(f.options(more));
    wait(more);
  }
  void wait(const std::vector<std::string>& more = {}) {
    const std::size_t refused_links = std::find(more.begin(), more.end(), "all") != more.end()    ? 0
                                      : std::find(more.begin(), more.end(), "none") != more.end() ? 6
                                                                                                  : 4;
    CHECK(wait_until([&] {
      return files_in(*mount / "", "missing") == 0 && files_in(*mount / "", "refused") == refused_links &&
             !status()["source"]["scanning"].get<bool>();
    }));
  }
  nlohmann::json status() const {
    return nlohmann::json::parse(run_ferryfs({"status", "--json", mount->mountpoint()}).out);
  }
  fs::path operator/(const fs::path& below) const { return *mount / below; }
  std::string ready() const { return run_ferryfs({"ready", mount->mountpoint()}).out; }
};

const std::vector<const char*> leading_out{"20240101/x.jpg", "20240101/rel.jpg", "by-up.jpg", "d"};

}  // namespace

TEST_CASE("a link of the old server that leads out stands in the view and leads nobody") {
  led_out l;
  for (const char* name : leading_out) {
    CAPTURE(name);
    CHECK(fs::is_symlink(fs::symlink_status(l / name)));
    CHECK(refusal_of(l / name) == EACCES);
    CHECK(refused(::access((l / name).c_str(), R_OK)) == EACCES);
    CHECK_FALSE(stands(l.f.to / name));
  }
  CHECK(refusal_to_write(l / "d/upload.jpg") == EACCES);
  CHECK(refusal_to_write(l / "20240101/x.jpg") == EACCES);
  CHECK_FALSE(stands(l.outside / "upload.jpg"));
  CHECK(read_file(l.outside / "file") == "secret");
  CHECK((read_file(l / "20240101/last.jpg") == noise(50'000)));
  CHECK(fs::read_symlink(l / "20240101/up") == "..");
  CHECK(l.mount->stop() == 0);
  for (const char* name : leading_out) CHECK_FALSE(stands(l.f.to / name));
  CHECK(fs::read_symlink(l.f.to / "20240101/last.jpg") == "1.jpg");
}

TEST_CASE("refused links are counted, listed, and a reason against switching the old server off") {
  led_out l;
  const auto s = l.status();
  CHECK(s["refused"]["files"] == 4);
  CHECK(s["complete"] == false);
  CHECK(run_ferryfs({"status", l.mount->mountpoint()}).code == 1);
  CHECK_THAT(run_ferryfs({"status", l.mount->mountpoint()}).out, contains_text("refused"));
  const auto list = read_file(l / ".ferryfs/lists/refused.txt");
  CHECK_THAT(list, contains_text(" 20240101/x.jpg\n"));
  CHECK(run_ferryfs({"report", l.mount->mountpoint(), "--list", "refused"}).out == list);
  CHECK_THAT(read_file(l / ".ferryfs/metrics"), contains_text("ferryfs_pictures{set=\"refused\"} 4"));
  CHECK_THAT(l.ready(), contains_text("4 symbolic links of the source refused"));
  CHECK(l.mount->stop() == 0);
  CHECK(nlohmann::json::parse(run_ferryfs({"status", "--json", l.f.to}).out)["refused"]["files"] == 4);
  CHECK(run_ferryfs({"report", l.f.to, "--list", "refused"}).out == list);
  CHECK_THAT(run_ferryfs({"ready", l.f.to}).out, contains_text("4 symbolic links of the source refused"));
  CHECK(run_ferryfs({"verify", l.f.to, "--source"}).code == 0);
  const auto sent = run_ferryfs({"push", l.f.to});
  CHECK(sent.code == 0);
  CHECK_THAT(sent.out, contains_text("sent 0 files"));
}

TEST_CASE("a refused link is removed and replaced as any name of the old server") {
  led_out l;
  CHECK(fs::remove(l / "d"));
  CHECK(refusal_of(l / "d") == ENOENT);
  fs::create_directory(l / "d");
  write_file(l / "d/upload.jpg", "mine");
  write_file(l / "new.tmp", "mine");
  fs::rename(l / "new.tmp", l / "20240101/x.jpg");
  CHECK(refused(::rename((l / "20240101/rel.jpg").c_str(), (l / "moved.jpg").c_str())) == 0);
  CHECK(refusal_of(l / "moved.jpg") == EACCES);
  for (int i = 0; i < 2; ++i) {
    CHECK(read_file(l / "20240101/x.jpg") == "mine");
    CHECK(read_file(l.f.to / "20240101/x.jpg") == "mine");
    CHECK(read_file(l.f.to / "d/upload.jpg") == "mine");
    CHECK_FALSE(stands(l / "20240101/rel.jpg"));
    CHECK(refusal_of(l / "moved.jpg") == EACCES);
    CHECK_FALSE(stands(l.f.to / "moved.jpg"));
    rescan(l.mount->mountpoint());
    if (i > 0) break;
    CHECK(l.mount->stop() == 0);
    l.mount->start();
  }
  CHECK(files_in(l / "", "refused") == 2);
  CHECK(read_file(l.outside / "file") == "secret");
}

TEST_CASE("a refused link is taken over by its name, and by nothing else") {
  led_out l;
  const auto done = run_ferryfs({"resolve", l / "d", "--keep", "source"});
  CHECK(done.code == 0);
  CHECK(done.out == "1 link to be copied\n");
  CHECK(wait_until([&] { return stands(l.f.to / "d"); }));
  CHECK(fs::read_symlink(l / "d") == l.outside);
  CHECK(read_file(l / "d/file") == "secret");
  CHECK(files_in(l / "", "refused") == 3);
  rescan(l.mount->mountpoint());
  CHECK(l.mount->stop() == 0);
  l.mount->start();
  CHECK(fs::read_symlink(l / "d") == l.outside);
  CHECK(run_ferryfs({"resolve", l / "20240101/x.jpg", "--keep", "destination"}).code == 1);
}

TEST_CASE("refused links that are skipped do not count, and still lead nobody") {
  led_out l;
  CHECK(run_ferryfs({"skip", l.mount->mountpoint()}).code == 0);
  CHECK(l.status()["refused"]["files"] == 0);
  CHECK(l.status()["skipped"]["files"] == 4);
  CHECK(wait_until([&] { return l.status()["complete"] == true; }));
  for (const char* name : leading_out) CHECK(refusal_of(l / name) == EACCES);
  rescan(l.mount->mountpoint());
  CHECK(l.status()["refused"]["files"] == 0);
  CHECK(l.mount->stop() == 0);
  for (const char* name : leading_out) CHECK_FALSE(stands(l.f.to / name));
}

TEST_CASE("all links are taken over where that is asked for, and none where that is") {
  const std::string how = GENERATE("all", "none");
  led_out l{{"--links", how}};
  for (const char* name : leading_out) {
    CHECK(refusal_of(l / name) == (how == "all" ? 0 : EACCES));
    CHECK(stands(l.f.to / name) == (how == "all"));
  }
  CHECK(refusal_of(l / "20240101/last.jpg") == (how == "all" ? 0 : EACCES));
  // Remembered by the archive, as what is left out is.
  CHECK(l.mount->stop() == 0);
  CHECK(run_ferryfs({"scan", l.f.to}).code == (how == "all" ? 0 : 1));
  CHECK(files_in(l.f.to, "refused") == (how == "all" ? 0U : 6U));
}

TEST_CASE("an absolute link below where the archive is mounted stays inside") {
  ferry f;
  write_old(f.from / "20240101/1.jpg", noise(50'000));
  const auto o = f.options();
  fs::create_symlink(o.mountpoint / "20240101/1.jpg", f.from / "by-view.jpg");
  fs::create_symlink(o.destination / "20240101/1.jpg", f.from / "by-disk.jpg");
  fs::create_symlink(o.mountpoint / "20240101/../../outside", f.from / "climbs.jpg");
  mount_fixture mount{o};
  CHECK(wait_until([&] { return stands(f.to / "20240101/1.jpg") && stands(f.to / "by-disk.jpg"); }));
  CHECK((read_file(mount / "by-view.jpg") == noise(50'000)));
  CHECK((read_file(mount / "by-disk.jpg") == noise(50'000)));
  CHECK(refusal_of(mount / "climbs.jpg") == EACCES);
  CHECK(mount.stop() == 0);
  CHECK(run_ferryfs({"scan", f.to}).code == 1);
  CHECK(files_in(f.to, "refused") == 1);
}

TEST_CASE("where a link leads is judged whenever it is followed") {
  led_out l;
  fs::create_symlink("turn/../20240101/1.jpg", l.f.from / "turns.jpg");
  fs::create_directory(l.f.from / "turn");
  rescan(l.mount->mountpoint());
  CHECK(refusal_of(l / "turns.jpg") == 0);
  // In the mount, and so known at once.
  fs::remove(l / "turn");
  CHECK(refusal_of(l / "turns.jpg") == EACCES);
  fs::create_symlink(".", l / "turn");
  CHECK(refusal_of(l / "turns.jpg") == EACCES);
  fs::remove(l / "turn");
  fs::create_directory(l / "turn");
  CHECK(refusal_of(l / "turns.jpg") == 0);
}

TEST_CASE("links that users make lead where they want") {
  led_out l;
  fs::create_symlink(l.outside / "file", l / "mine.jpg");
  CHECK(read_file(l / "mine.jpg") == "secret");
  rescan(l.mount->mountpoint());
  CHECK(run_ferryfs({"push", l.mount->mountpoint()}).code == 0);
  rescan(l.mount->mountpoint());
  CHECK(fs::read_symlink(l.f.from / "mine.jpg") == l.outside / "file");
  CHECK(read_file(l / "mine.jpg") == "secret");
  CHECK(files_in(l / "", "refused") == 4);
}
