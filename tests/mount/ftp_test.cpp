// An FTP server on the mount: what cameras upload through.
#include <fstream>

#include "tests/doubles/loopback.hpp"
#include "tests/mount/store.hpp"

using namespace ferryfs::test;
namespace fs = std::filesystem;

namespace {

// vsftpd on loopback, for anybody, as the test's own user.
class ftp_server {
 public:
  ftp_server(const fs::path& root, const fs::path& configuration) : port(free_port()) {
    std::ofstream(configuration) << "listen=YES\nlisten_address=127.0.0.1\nlisten_port=" << port
                                 << "\nbackground=NO\nanon_root=" << root.string()
                                 << "\nrun_as_launching_user=YES\nanonymous_enable=YES\nno_anon_password=YES\n"
                                    "write_enable=YES\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\n"
                                    "anon_other_write_enable=YES\nanon_world_readable_only=NO\nanon_umask=022\n"
                                    "seccomp_sandbox=NO\nuse_sendfile=YES\n";
    server_.emplace(std::vector<std::string>{"/usr/sbin/vsftpd", configuration});
    const bool listens = wait_until([&] { return answers(); });
    INFO("vsftpd said: " << server_->out() << server_->err());
    REQUIRE(listens);
  }
  const std::uint16_t port;

 private:
  bool answers() const {
    try {
      connected_loopback(port);
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }
  std::optional<process> server_;
};

}  // namespace

TEST_CASE("an FTP server on the mount takes uploads, resumes, renames and deletes, and sends what is missing") {
  const store s;
  const auto upload = noise(300'000, 77);
  write_file(s.f.dir / "upload", upload);
  {
    const ftp_server server(s.mount->mountpoint(), s.f.dir / "vsftpd.conf");
    const auto sent = out_of({"/usr/bin/python3", FERRYFS_SOURCE_DIR "/tests/mount/ftp_session.py",
                              std::to_string(server.port), s.f.dir / "upload"},
                             std::chrono::seconds(60));
    CHECK((sent == noise(50'000, 0)));
  }
  tree expected{{"20240101", "/"}, {"kept", "/"}};
  for (const char* name : {"new.jpg", "resumed.jpg", "appended.jpg", "1.jpg"})
    expected["20240101/" + std::string(name)] = upload;
  expected["20240101/0.jpg"] = noise(50'000, 0);
  expected["20240101/2.jpg"] = noise(50'000, 2) + "tail";
  expected["kept/moved.jpg"] = noise(50'000, 0);
  CHECK(difference(expected, contents_below(s.mount->mountpoint())) == "");
  CHECK(wait_until([&] { return difference(expected, contents_below(s.f.to)) == ""; }));
  CHECK(fs::exists(s.f.from / "20240102/1.jpg"));
}
