#include "tests/doubles/rogue_session.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

namespace ferryfs::test {
namespace {

constexpr std::uint32_t dir_mode = 0040755, file_mode = 0100644, link_mode = 0120777;
constexpr std::uint64_t endless_count = 5'000'000;

bool read_fully(std::string& into, std::size_t count) {
  into.resize(count);
  for (std::size_t done = 0; done < count;) {
    const auto got = ::read(STDIN_FILENO, into.data() + done, count - done);
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

bool write_fully(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string framed(const std::string& packet) { return big_endian(static_cast<std::uint32_t>(packet.size())) + packet; }

std::string status(std::uint32_t id, sftp::code code) {
  return packet_writer(sftp::status, id).u32(code).text("as you like it").text("").bytes();
}

std::string normal(const std::string& path) {
  auto lexical = (std::filesystem::path("/") / path).lexically_normal().string();
  if (lexical.size() > 1 && lexical.back() == '/') lexical.pop_back();
  return lexical;
}

// Until the client closes: a server that hung itself up for good would stay behind when its connection is gone.
void ignore_the_rest() {
  std::array<char, 4096> ignored;
  while (::read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
  }
}

}  // namespace

int rogue_session::run() {
  using namespace std::chrono_literals;
  std::string length, packet;
  while (read_fully(length, 4) && read_fully(packet, packet_reader(length).u32())) {
    packet_reader request(packet);
    const auto type = static_cast<sftp::type>(request.u8());
    about_.clear();
    auto answer = reply(type, request);
    if (answers_later(type)) {
      held_back_.push_back(std::move(answer));
      if (pollfd more{STDIN_FILENO, POLLIN, 0}; ::poll(&more, 1, 20) == 0) answer_backwards();
      continue;
    }
    if (!is_provoked(type)) {
      if (!write_fully(framed(answer))) return 1;
      continue;
    }
    if (has(fault::die)) return 1;
    if (has(fault::slow)) std::this_thread::sleep_for(200ms);
    if (!misuse(std::move(answer))) {
      ignore_the_rest();
      return 0;
    }
  }
  return 0;
}

bool rogue_session::answers_later(sftp::type type) const { return has(fault::any_order) && type != sftp::init; }

// The requests so far were served in order, as the protocol demands; the answers may come in any.
void rogue_session::answer_backwards() {
  for (auto at = held_back_.rbegin(); at != held_back_.rend(); ++at) write_fully(framed(*at));
  held_back_.clear();
}

bool rogue_session::is_provoked(sftp::type type) const {
  if (type != how_.on) return false;
  return type == sftp::init || about_ == rogue::victim || about_.starts_with(std::string(rogue::victim) + '/');
}

bool rogue_session::misuse(std::string reply) {
  const bool names = reply[0] == sftp::name;
  switch (how_.what) {
    case fault::hang:
      return false;
    case fault::huge_packet:
      write_fully(big_endian(0x7fffffff) + reply);
      return false;
    case fault::garbage:
      if (how_.on == sftp::init) write_fully(framed(reply));
      write_fully(random_bytes(std::size_t{1} << 20));
      return false;
    case fault::bad_packets:
      for (int count = 0; count < 1000; ++count) {
        auto packet = random_bytes(random_() % 1000 + 1);
        packet[0] = static_cast<char>(sftp::status + random_() % 5);
        write_fully(framed(packet));
      }
      return false;
    case fault::short_packet:
      reply.resize(reply.size() / 2);
      break;
    case fault::huge_string:
      if (reply[0] != sftp::status && reply.size() > 13) reply.replace(names ? 9 : 5, 4, big_endian(0xfffffff0));
      break;
    case fault::wrong_id:
      reply.replace(1, 4, big_endian(packet_reader(reply.substr(1)).u32() + 100'000));
      break;
    case fault::wrong_type:
      reply[0] = sftp::version;
      break;
    case fault::too_many:
      if (names) reply.replace(5, 4, big_endian(packet_reader(reply.substr(5)).u32() + 50));
      break;
    case fault::status:
      reply = status(packet_reader(reply.substr(1)).u32(), how_.code);
      break;
    default:
      break;  // the other faults are in what is told, not in how
  }
  return write_fully(framed(reply));
}

std::string rogue_session::random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random_()); });
  return bytes;
}

std::string rogue_session::reply(sftp::type type, packet_reader& request) {
  if (type == sftp::init) return version();
  const auto id = request.u32();
  const auto text = request.text();
  if (const auto found = handles_.find(text); found != handles_.end()) {
    auto& handle = found->second;
    about_ = handle.path;
    if (type == sftp::fstat) return attributes(id, handle.path, true);
    if (type == sftp::readdir) return listed(id, handle);
    if (type == sftp::read) {
      const auto offset = request.u64();
      return data(id, handle, offset, request.u32());
    }
    if (type == sftp::close) {
      handles_.erase(found);
      return packet_writer(sftp::status, id).u32(0).text("").text("").bytes();
    }
  }
  about_ = normal(has(fault::opaque_root) && text.starts_with(rogue::opaque_root)
                      ? std::string(rogue::root) + text.substr(rogue::opaque_root.size())
                      : text);
  switch (type) {
    case sftp::open:
      if ((request.u32() & sftp::write_flag) != 0) return status(id, sftp::permission_denied);
      [[fallthrough]];
    case sftp::opendir:
      return open(id, type, about_);
    case sftp::stat:
    case sftp::lstat:
      if (type == sftp::lstat && has(fault::no_lstat)) return status(id, sftp::unsupported);
      return attributes(id, about_, type == sftp::stat);
    case sftp::realpath: {
      const auto real = has(fault::opaque_root)       ? std::string(rogue::opaque_root)
                        : text == "." || text.empty() ? std::string(rogue::root)
                                                      : about_;
      return packet_writer(sftp::name, id).u32(1).text(real).text(real).u32(0).bytes();
    }
    case sftp::readlink: {
      if (has(fault::no_readlink)) return status(id, sftp::unsupported);
      const auto* const node = find(about_, false);
      if (node != nullptr && node->kind != rogue::kind::link) return status(id, sftp::failure);
      if (node == nullptr || node->kind != rogue::kind::link) return status(id, sftp::no_such_file);
      const auto target = has(fault::whole_targets) ? normal(node->parent + '/' + node->target) : node->target;
      return packet_writer(sftp::name, id).u32(1).text(target).text(target).u32(0).bytes();
    }
    case sftp::extended:
      return text == "limits@openssh.com" && !has(fault::old_server) ? limits(id) : status(id, sftp::unsupported);
    default:
      return status(id, sftp::permission_denied);
  }
}

std::string rogue_session::version() const {
  packet_writer packet(sftp::version);
  packet.u32(has(fault::old_version) ? 2 : 3);
  if (!has(fault::old_server)) packet.text("limits@openssh.com").text("1");
  return packet.bytes();
}

std::string rogue_session::limits(std::uint32_t id) const {
  const std::uint64_t read = has(fault::tiny_limits) ? 1 : 261'120;
  return packet_writer(sftp::extended_reply, id).u64(262'144).u64(read).u64(261'120).u64(1000).bytes();
}

std::string rogue_session::open(std::uint32_t id, sftp::type type, const std::string& path) {
  const auto* const node = find(path, true);
  const bool directory = path == "/" || (node != nullptr && node->kind == rogue::kind::directory);
  if (node == nullptr && !directory) return status(id, sftp::no_such_file);
  if (directory != (type == sftp::opendir)) return status(id, sftp::failure);
  if (has(fault::few_handles) && handles_.size() >= how_.number) return status(id, sftp::failure);
  const auto files = [&] {
    return std::count_if(handles_.begin(), handles_.end(), [](const auto& h) { return !h.second.directory; });
  };
  if (has(fault::few_files) && !directory && static_cast<std::size_t>(files()) >= how_.number)
    return status(id, sftp::failure);
  auto handle = "handle " + std::to_string(next_handle_++);
  handles_[handle] = {node == nullptr ? "/" : node->path(), 0, directory};
  return packet_writer(sftp::handle, id).text(handle).bytes();
}

std::string rogue_session::listed(std::uint32_t id, open_handle& directory) {
  std::vector<const rogue::node*> entries;
  for (const auto& node : nodes_) {
    if (node.parent == (directory.path == "/" ? "" : directory.path)) entries.push_back(&node);
  }
  if (directory.reported > 0) {
    if (has(fault::cut_listing) && directory.path == rogue::victim) return status(id, sftp::failure);
    if (has(fault::endless) && directory.path == rogue::victim) return endless(id, directory);
    return status(id, sftp::end_of_file);
  }
  if (has(fault::cut_listing) && directory.path == rogue::victim) entries.resize(1);
  directory.reported = entries.size() + 2;
  packet_writer packet(sftp::name, id);
  packet.u32(static_cast<std::uint32_t>(directory.reported));
  const auto put = [&](const std::string& name, const rogue::node& node) {
    packet.text(name).text("-rw-r--r-- " + name);
    if (has(fault::no_attributes) || has(fault::no_lstat)) {
      packet.u32(0);
    } else {
      put_attributes(packet, node, true);
    }
  };
  for (const auto* dots : {".", ".."}) put(dots, {"", dots, rogue::kind::directory});
  for (const auto* node : entries) put(node->name, *node);
  return packet.bytes();
}

std::string rogue_session::endless(std::uint32_t id, open_handle& directory) {
  if (directory.reported >= endless_count) return status(id, sftp::end_of_file);
  packet_writer packet(sftp::name, id);
  packet.u32(100);
  for (int count = 0; count < 100; ++count) {
    const auto name = "endless-" + std::to_string(directory.reported++) + ".jpg";
    packet.text(name).text(name);
    put_attributes(packet, {directory.path, name, rogue::kind::file, 1000});
  }
  return packet.bytes();
}

std::string rogue_session::data(std::uint32_t id, const open_handle& file, std::uint64_t offset, std::uint64_t count) {
  const auto* const node = find(file.path, true);
  auto end = size_of(*node, false);
  const bool victim = file.path.starts_with(rogue::victim);
  if (has(fault::early_end) && victim) end -= std::min<std::uint64_t>(end, 1000);
  if (offset >= end) return status(id, sftp::end_of_file);
  count = std::min({count, end - offset, std::uint64_t{261'120}});
  if (has(fault::short_reads)) count = std::min<std::uint64_t>(count, 1000);
  if (has(fault::old_server)) count = std::min<std::uint64_t>(count, 32'768);
  if (has(fault::more_data) && victim) count += 100;
  if (has(fault::no_data) && victim) count = 0;
  return packet_writer(sftp::data, id).text(rogue::content(file.path, offset, count)).bytes();
}

std::string rogue_session::attributes(std::uint32_t id, const std::string& path, bool follow) {
  const auto* const node = find(path, follow);
  if (node == nullptr && path != "/") return status(id, sftp::no_such_file);
  packet_writer packet(sftp::attrs, id);
  put_attributes(packet, node == nullptr ? rogue::node{"", "", rogue::kind::directory} : *node);
  return packet.bytes();
}

// Size, owner, mode and times, as OpenSSH tells them.
void rogue_session::put_attributes(packet_writer& to, const rogue::node& node, bool listed) {
  constexpr std::uint32_t size = 1, all = 0xf, create_time = 0x10, bits = 0x200;
  const bool file = node.kind == rogue::kind::file;
  auto mode = node.kind == rogue::kind::directory ? dir_mode : file ? file_mode : link_mode;
  if (has(fault::no_kinds)) mode &= 07777;
  to.u32((has(fault::no_sizes) ? all & ~size : all) | (has(fault::later_words) ? create_time : 0) |
         (has(fault::unknown_words) ? bits : 0));
  const bool zero = has(fault::zero_sizes) && file && !(listed && how_.number == 1);
  if (!has(fault::no_sizes)) to.u64(zero ? 0 : size_of(node, true));
  to.u32(1000).u32(1000).u32(mode).u32(rogue::mtime).u32(rogue::mtime);
  if (has(fault::later_words)) to.u64(1);
  if (has(fault::unknown_words)) to.u32(0);
}

std::uint64_t rogue_session::size_of(const rogue::node& node, bool telling) {
  if (node.kind != rogue::kind::file || node.parent != rogue::victim) return node.size;
  if (has(fault::grows)) return node.size + 1000 * (telling ? ++growth_ : growth_);
  if (has(fault::huge_size) && telling) return std::uint64_t{1} << 63;
  if (has(fault::vast_size) && telling) return std::uint64_t{1} << 62;
  return node.size;
}

const rogue::node* rogue_session::find(const std::string& path, bool follow) const {
  auto wanted = path;
  for (int hops = 0; hops < 10; ++hops) {
    const auto found =
        std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& node) { return node.path() == wanted; });
    if (found == nodes_.end()) return nullptr;
    if (!follow || found->kind != rogue::kind::link) return &*found;
    wanted = normal(found->parent + '/' + found->target);
  }
  return nullptr;
}

}  // namespace ferryfs::test
