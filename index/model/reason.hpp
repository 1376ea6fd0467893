// The reason for a row's state, where its two sides alone do not show it. The code decides by it; the row's `error` is
// the same in words, for people, with the details of the moment.
#pragma once

#include <cstdint>
#include <string_view>

namespace ferryfs {

// Stored, so the numbers never change; a new one goes to the end, and into the functions below where it belongs. A
// program that was released without it must refuse the index: a new reason raises schema_version by a step, be it
// empty.
enum class reason : std::uint8_t {
  none = 0,
  fetch_failed = 1,    // the last fetch went wrong, as `error` tells
  gone_here = 2,       // its file is gone from the destination
  written_here = 3,    // in conflict at the same size: changed here since it was the same as the source's
  source_differs = 4,  // in conflict at the same size: the source has other bytes by now, ours are as they were
  spoilt = 5,          // in conflict at the same size: the file here does not have the bytes that it should have
  time_differs = 6,    // the source's copy has another time, and not another size: see entry::awaits_digest
  leads_out = 7,       // a refused link, as `error` tells
  changing = 8,        // each fetch met another: it is being written on the source, and comes once that is over
};

// The reason is that of a gap which could not be filled: it ends with the next try.
constexpr bool is_fetch_failure(reason r) noexcept {
  return r == reason::fetch_failed || r == reason::gone_here || r == reason::changing;
}
// The reason casts doubt on the file here: the same size and time as the source's prove nothing, until a digest or
// other bytes here end it.
constexpr bool is_doubt(reason r) noexcept {
  return r == reason::written_here || r == reason::source_differs || r == reason::spoilt;
}
// The doubt is about the source's copy: nothing is wrong with the file here.
constexpr bool is_sound_here(reason r) noexcept { return r == reason::written_here || r == reason::source_differs; }

// The reason in words, where nothing better is known.
std::string_view text_of(reason) noexcept;

}  // namespace ferryfs
