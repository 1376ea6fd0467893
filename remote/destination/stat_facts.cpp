#include "remote/destination/stat_facts.hpp"

#include "index/base/time.hpp"

namespace ferryfs::remote {

std::uint64_t holes_of(const struct stat& st) {
  const auto full = (static_cast<std::uint64_t>(st.st_size) + 511) / 512,
             there = static_cast<std::uint64_t>(st.st_blocks);
  return S_ISREG(st.st_mode) && there < full ? full - there : 0;
}

file_facts facts_of_stat(const struct stat& st) {
  return {st.st_mode, static_cast<std::uint64_t>(st.st_size), to_ns(st.st_mtim), holes_of(st)};
}

index::directory_entry entry_of_stat(const std::string& name, const struct stat& st, const std::string& target,
                                     std::uint32_t uid, std::uint32_t gid) {
  index::directory_entry l;
  l.name = name;
  l.attributes = facts_of_stat(st);
  l.target = target;
  if (st.st_uid != uid) l.uid = st.st_uid;
  if (st.st_gid != gid) l.gid = st.st_gid;
  return l;
}

}  // namespace ferryfs::remote
