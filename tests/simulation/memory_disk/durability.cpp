// The part of the disk in memory that is durable, and what a power cut leaves.
#include "tests/simulation/memory_disk/node.hpp"

#include <algorithm>

namespace ferryfs::test {

void memory_disk::sync_names() {
  for (const auto& c : journal_)
    for (const auto& e : c) {
      auto& names = e.directory->synced_names;
      e.to ? void(names[e.name] = e.to) : void(names.erase(e.name));
    }
  journal_.clear();
}

void memory_disk::sync_all() {
  sync_names();
  for (const auto& w : nodes_)
    if (const auto n = w.lock()) n->synced = n->data;
}

int memory_disk::fsync(int fd) {
  if (refuses("fsync")) return -1;
  auto* const d = of(fd);
  if (d == nullptr) return -1;
  d->of->synced = d->of->data;
  if (!options_.weak) return sync_names(), 0;
  if (!S_ISDIR(d->of->mode)) return 0;
  // This directory's names alone, each with its part of a rename elsewhere.
  d->of->synced_names = d->of->names;
  for (auto& c : journal_) std::erase_if(c, [&](const edit& e) { return e.directory == d->of; });
  std::erase_if(journal_, [](const change& c) { return c.empty(); });
  return 0;
}

int memory_disk::fdatasync(int fd) { return fsync(fd); }

int memory_disk::syncfs(int fd) {
  if (refuses("syncfs")) return -1;
  if (of(fd) == nullptr) return -1;
  sync_all();
  return 0;
}

void memory_disk::cut_power(std::mt19937_64& random) {
  close_all();
  if (options_.weak) {
    std::erase_if(journal_, [&](const change&) { return random() % 2 == 0; });
  } else {
    journal_.resize(random() % (journal_.size() + 1));
  }
  sync_names();
  // What is reached from the root survives, as it was synced.
  std::vector<node_pointer> all{root_};
  for (std::size_t i = 0; i < all.size(); ++i) {
    node& n = *all[i];
    n.links = i == 0 ? 1 : 0;
    for (const auto& [name, child] : n.synced_names)
      if (std::find(all.begin(), all.end(), child) == all.end()) all.push_back(child);
  }
  for (const auto& n : all) {
    if (n->data != n->synced) {
      const auto choice = random() % 3;
      if (choice == 0) n->data = n->synced;
      if (choice == 1) {  // the size is there, and not the bytes
        const auto known = std::min(n->synced.size(), n->data.size());
        n->data = n->synced.substr(0, known) + std::string(n->data.size() - known, '\0');
      }
    }
    n->synced = n->data;
    n->names = n->synced_names;
  }
  for (const auto& n : all)
    for (const auto& [name, child] : n->names) ++child->links;
}

}  // namespace ferryfs::test
