// Why a row stands as it does, where its two sides alone do not say it. What the code decides by; the row's `error` is
// the same in words, for people, and with what the moment knew besides.
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
  written_here = 3,    // in conflict at the same size: written here since it was the source's
  source_differs = 4,  // in conflict at the same size: the source has other bytes by now, ours are as they were
  spoilt = 5,          // in conflict at the same size: what is here has not the bytes that it should have
  time_differs = 6,    // the source's copy has another time, and not another size: see entry::awaits_digest
  leads_out = 7,       // a refused link, as `error` tells
  changing = 8,        // each fetch met another: it is being written on the source, and comes once that is over
};

// Of a gap that could not be filled: it ends with the next try.
constexpr bool is_fetch_failure(reason r) noexcept {
  return r == reason::fetch_failed || r == reason::gone_here || r == reason::changing;
}
// Of what is here: the same size and time as the source's prove nothing, until a digest or other bytes here end it.
constexpr bool is_doubt(reason r) noexcept {
  return r == reason::written_here || r == reason::source_differs || r == reason::spoilt;
}
// Of the doubts: nothing is wrong with what is here.
constexpr bool is_sound_here(reason r) noexcept { return r == reason::written_here || r == reason::source_differs; }

// In words, where nothing better is known.
std::string_view text_of(reason) noexcept;

}  // namespace ferryfs
