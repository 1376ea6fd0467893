#include "remote/engine/scan/judge_links.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "index/base/disk.hpp"
#include "index/base/mutex.hpp"
#include "index/base/path.hpp"
#include "index/update/source_links.hpp"
#include "remote/files/beneath.hpp"
#include "remote/files/list_directory.hpp"

namespace ferryfs::remote {
namespace {

constexpr int batch_size = 256;

class pass {
 public:
  pass(const destination& where, index::writer& index, index::readers& readers, const index::link_rules& rules)
      : where_(where), index_(index), readers_(readers), rules_(rules) {}

  void run() {
    for (inode last = 0;;) {
      std::vector<entry> links;
      readers_.borrow()->links(last, batch_size, [&](entry&& e) { links.push_back(std::move(e)); });
      if (links.empty()) return;
      last = links.back().ino;
      judge(links);
      for (const entry& e : links) take_off(e.ino);
    }
  }

 private:
  // Leaves those that are refused by now, and on the disk by our hand.
  void judge(std::vector<entry>& links) {
    std::vector<inode> others;
    {
      const auto reader = readers_.borrow();
      index::link_judge judge{*reader, rules_};
      std::erase_if(links, [&](const entry& e) {
        const auto after = judge.judged(e);
        if (after) others.push_back(e.ino);
        const entry& now = after ? *after : e;
        return now.state != state::refused || !now.local || !now.fetched;
      });
    }
    if (others.empty()) return;
    index_.run([&](index::transaction& t) {
      for (const inode ino : others) index::apply_link_rules(t, ino, rules_);
    });
  }

  void take_off(inode ino) {
    const exclusive_lock held{where_.namespace_lock()};
    std::optional<entry> e;
    std::string path;
    {
      const auto reader = readers_.borrow();
      e = reader->by_inode(ino);
      path = reader->path(ino).value_or("");
    }
    if (!e || e->state != state::refused || !e->local || !e->fetched || path.empty()) return;
    const auto [directory, name] = open_parent(where_.root(), path);
    local_entry there;
    if (!directory || !look_at(directory.get(), name, there) || there.target != e->target) return;
    if (disk().unlinkat(directory.get(), name.c_str(), 0) != 0)
      return spdlog::error("{}: {}, and cannot be removed: {}", printable(path), e->error, std::strerror(errno));
    index_.run([&](index::transaction& t) {
      const auto before = t.by_inode(ino);
      if (!before) return;
      entry after = *before;
      after.local.reset(), after.fetched = false;
      after.state = classify(after);
      t.update(*before, after);
    });
    spdlog::warn("{}: {}; removed from the destination", printable(path), e->error);
  }

  const destination& where_;
  index::writer& index_;
  index::readers& readers_;
  const index::link_rules& rules_;
};

}  // namespace

void judge_links(const destination& where, index::writer& index, index::readers& readers,
                 const index::link_rules& rules) {
  pass{where, index, readers, rules}.run();
}

}  // namespace ferryfs::remote
