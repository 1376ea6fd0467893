#include "tests/simulation/person.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "index/base/clock.hpp"
#include "index/base/thread.hpp"

namespace ferryfs::test {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t long_ago = 1'373'868'600;
// Between two pieces of an upload; the engine looks twice within the quiet time of its settings.
constexpr auto longest_upload_pause = 4s;

// Nothing was changed for it.
bool is_refusal(int problem) {
  return problem == ENOENT || problem == EEXIST || problem == EISDIR || problem == ENOTDIR || problem == ENOTEMPTY ||
         problem == EINVAL;
}

}  // namespace

// No two have the same size, so that no look can take one for another.
std::string person::make_up() {
  const auto number = ++world_.last_content;
  const std::size_t size = static_cast<std::size_t>(number % 128) + 128 * world_.random.below(6);
  const std::string tag = std::to_string(number) + ';';
  std::string content;
  while (content.size() < size) content += tag;
  content.resize(size);
  return content;
}

std::string person::any_directory() {
  static const std::vector<std::string> all{"", "20260101", "20260102", "20260102/raw", "other"};
  return world_.random.any(all);
}

std::string person::any_path() {
  static const std::vector<std::string> names{"a.jpg", "b.jpg", "c.jpg", "d"};
  const auto directory = any_directory();
  return (directory.empty() ? "" : directory + '/') + world_.random.any(names);
}

void person::pause(std::chrono::microseconds longest) { sleep_for(world_.random.up_to(longest)); }

void person::furnish() {
  for (const char* d : {"20260101", "20260102", "20260102/raw"})
    if (!world_.random.one_in(4)) world_.server.make_directory(d), world_.server.age(d, long_ago);
  for (std::uint64_t i = world_.random.below(8) + 1; i > 0; --i) {
    const auto path = any_path(), content = make_up();
    if (!world_.server.find(path) && world_.server.write(path, content)) world_.known.add_whole(content);
    world_.server.age(path, long_ago + static_cast<std::int64_t>(i));
    world_.server.age(parent_path(path), long_ago);
  }
}

void person::furnish_here(memory_disk& disk) {
  for (std::uint64_t i = world_.random.below(4); i > 0; --i) {
    const auto path = any_path(), directory = parent_path(path);
    const auto there = world_.server.find(path), above = world_.server.find(directory);
    if ((there && there->is_directory) || (above && !above->is_directory)) continue;
    if (disk.content(destination_name + ('/' + path))) continue;
    const bool copies = there && world_.random.one_in(2);
    const auto content = copies ? there->content : make_up();
    const std::string top = std::string("/") + destination_name + '/';
    for (std::size_t slash = 0; !directory.empty() && slash != std::string::npos;) {
      slash = directory.find('/', slash + 1);
      disk.mkdir((top + directory.substr(0, slash)).c_str(), 0755);
    }
    const int fd = disk.open((top + path).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) continue;
    disk.pwrite(fd, content.data(), content.size(), 0);
    disk.fsync(fd);
    disk.close(fd);
    world_.known.add_whole(content);
    copies ? world_.known.stood(path) : world_.known.wrote(path, content, true);
    world_.log.add("here: " + path + " stands with " + std::to_string(content.size()) + " bytes");
  }
  const int root = disk.open("/", O_RDONLY | O_DIRECTORY, 0);
  disk.syncfs(root);
  disk.close(root);
}

// In pieces; nobody may take what is there between two of them.
void person::upload(const std::string& path) {
  const auto content = make_up();
  const auto pieces = 1 + world_.random.below(3);
  uploading_ = path;
  for (std::uint64_t i = 1; i <= pieces; ++i) {
    if (i > 1) pause(longest_upload_pause);
    const auto part = content.substr(0, content.size() * i / pieces);
    i == pieces ? world_.known.add_whole(part) : world_.known.add_moment(part);
    if (i == pieces) uploading_.clear();
    if (!world_.server.write(path, part)) return uploading_.clear();
    world_.log.add("there: " + path + " has " + std::to_string(part.size()) + " bytes" +
                   (i == pieces ? "" : " so far"));
  }
}

void person::work_there(server_archive& network) {
  auto& server = world_.server;
  pause(20s);
  const auto path = any_path(), other = any_path();
  switch (world_.random.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return upload(path);
    case 4:
      if (server.remove(path)) world_.log.add("there: removed " + path);
      return;
    case 5:
      if (server.rename(path, other)) world_.log.add("there: renamed " + path + " to " + other);
      return;
    case 6: {
      const auto from = any_directory(), to = any_directory();
      if (!from.empty() && server.rename(from, to)) world_.log.add("there: renamed " + from + " to " + to);
      return;
    }
    case 7: {
      const auto d = any_directory();
      if (server.make_directory(d)) world_.log.add("there: made " + d);
      return;
    }
    case 8: {
      const auto d = any_directory();
      if (world_.random.one_in(3) && server.remove(d)) world_.log.add("there: removed " + d);
      return;
    }
    default:
      if (world_.random.one_in(2)) {
        server.fails_one_in = world_.random.one_in(2) ? 0 : 2 + static_cast<unsigned>(world_.random.below(20));
        return world_.log.add("there: of requests fails one in " + std::to_string(server.fails_one_in));
      }
      server.is_connected = !server.is_connected;
      world_.log.add(server.is_connected ? "there: the network is back" : "there: the network is away");
      network.on_connection();
  }
}

void person::calm_down(server_archive& network) {
  world_.server.is_connected = true, world_.server.fails_one_in = 0;
  network.on_connection();
}

void person::on_crash() {
  if (const auto n = world_.server.find(uploading_); n && !uploading_.empty()) world_.known.add_whole(n->content);
  uploading_.clear();
}

void person::say(const std::string& what, int problem) {
  world_.log.add("here: " + what + (problem == 0 ? "" : std::string(": ") + std::strerror(problem)));
}

void person::work_here(user& u) {
  pause(20s);
  const auto path = any_path(), other = any_path();
  const auto choice = world_.random.below(12);
  if (choice == 10) {
    const auto d = any_directory();
    const int problem = u.sync_directory(d);
    if (problem == 0) world_.known.synced_directories();
    return say("synced directory " + d, problem);
  }
  const bool of_directory = choice == 8 || choice == 9;
  const std::string from = of_directory ? any_directory() : path, to = of_directory ? any_directory() : other;
  if (of_directory && (from.empty() || to.empty())) return;
  const bool two = choice == 6 || choice == 7 || choice == 9;
  std::vector<std::string> paths{from};
  if (two && to != from) paths.push_back(to);
  if (choice == 11) return look(u, path);
  if (!world_.known.begin(paths)) return;
  if (choice <= 2) put(u, path);
  if (choice == 3) append(u, path);
  if (choice == 4 || choice == 5) remove(u, path);
  if (choice == 6 || choice == 7) rename(u, from, to, false);
  if (choice == 8) {
    const int problem = u.make_directory(from);
    if (problem == 0) world_.known.made_directory(from);
    if (problem != 0 && !is_refusal(problem)) world_.known.lose_sight_of(from);
    say("made " + from, problem);
  }
  if (choice == 9) rename(u, from, to, true);
  world_.known.end(paths);
}

void person::put(user& u, const std::string& path) {
  std::unique_ptr<user::file> f;
  int problem = u.open(path, user::how::truncate, f);
  if (problem == ENOENT) problem = u.create(path, f);
  say("opened " + path + " to write it", problem);
  if (problem != 0) {
    if (!is_refusal(problem)) world_.known.lose_sight_of(path);
    return;
  }
  const auto content = make_up();
  const auto pieces = 1 + world_.random.below(3);
  for (std::uint64_t i = 0; i < pieces && problem == 0; ++i) {
    pause(5s);
    const auto from = content.size() * i / pieces, to = content.size() * (i + 1) / pieces;
    problem = f->write(content.substr(from, to - from), from);
  }
  if (problem != 0) return world_.known.lose_sight_of(path), say("wrote " + path, problem);
  finish_writing(*f, path, content);
}

void person::finish_writing(user::file& f, const std::string& path, const std::string& content) {
  world_.known.add_whole(content);
  const bool syncs = world_.random.one_in(2);
  int problem = syncs ? f.fsync() : 0;
  const int closed = f.close();
  if (problem == 0) problem = closed;
  problem == 0 ? world_.known.wrote(path, content, syncs) : world_.known.lose_sight_of(path);
  say("wrote " + path + " with " + std::to_string(content.size()) + " bytes" + (syncs ? ", synced" : ""), problem);
}

void person::append(user& u, const std::string& path) {
  std::unique_ptr<user::file> f;
  int problem = u.open(path, user::how::change, f);
  if (problem != 0) return say("opened " + path + " to append", problem);
  std::string before, after;
  problem = f->read(before);
  const auto more = make_up();
  if (problem == 0) problem = f->write(more, before.size());
  if (problem == 0) problem = f->read(after);
  if (problem != 0 || after != before + more) {
    world_.known.lose_sight_of(path);
    return say("appended to " + path, problem != 0 ? problem : ESTALE);
  }
  finish_writing(*f, path, after);
}

void person::look(user& u, const std::string& path) {
  if (!world_.known.begin({path})) return;
  std::unique_ptr<user::file> f;
  std::string content;
  world_.known.looks(path);
  int problem = u.open(path, user::how::read, f);
  if (problem == 0) problem = f->read(content);
  say("read " + path + ": " + std::to_string(content.size()) + " bytes", problem);
  if (problem == 0) world_.known.saw(path, content);
  world_.known.end({path});
}

void person::remove(user& u, const std::string& path) {
  const int problem = u.remove(path);
  if (problem == 0) world_.known.removed(path, steady_now());
  if (problem != 0 && !is_refusal(problem)) world_.known.lose_sight_of(path);
  say("removed " + path, problem);
}

void person::rename(user& u, const std::string& from, const std::string& to, bool is_tree) {
  const int problem = u.rename(from, to);
  if (problem == 0 && !is_tree) world_.known.renamed(from, to, steady_now());
  if ((problem == 0 && is_tree) || (problem != 0 && !is_refusal(problem)))
    world_.known.lose_sight_of(from), world_.known.lose_sight_of(to);
  say("renamed " + from + " to " + to, problem);
}

}  // namespace ferryfs::test
