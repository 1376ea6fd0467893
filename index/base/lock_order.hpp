// Holds threads to the order of locks (lock_level.hpp), in builds without NDEBUG: a thread that would take one out of
// order ends the program with the names of both. Clang's annotations see an order within a function alone.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>

#include "index/base/lock_level.hpp"

namespace ferryfs {

#ifdef NDEBUG
inline constexpr bool checks_lock_order = false;
#else
inline constexpr bool checks_lock_order = true;
#endif

// Where in the source a lock is made, in place of source_place, which clang 14 has not.
struct source_place {
  const char* file;
  int line;
  static constexpr source_place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

// A lock as the order knows it: its level, and where it is made. Threads: any.
class ordered_lock {
 public:
  constexpr explicit ordered_lock(lock_level level, source_place made) noexcept : level_(level), made_(made) {}

  // Why the calling thread must not wait for it now: both locks' names. Empty: it may.
  std::string objection() const;
  // Ends the program with the objection, if there is one.
  void check() const noexcept;
  // The calling thread has it, and has it no more. `leave` does nothing where it does not.
  void enter() const noexcept;
  void leave() const noexcept;
  // By the calling thread.
  bool is_held() const noexcept;

 private:
  std::string name() const;

  lock_level level_;
  source_place made_;
};

// The same where nothing is checked: no member, no code.
class unordered_lock {
 public:
  constexpr explicit unordered_lock(lock_level, source_place) noexcept {}
  void check() const noexcept {}
  void enter() const noexcept {}
  void leave() const noexcept {}
  bool is_held() const noexcept { return false; }
};

// The member that each lock of the tree has.
using lock_place = std::conditional_t<checks_lock_order, ordered_lock, unordered_lock>;

// The locks that one thread holds, in the order in which it was taken.
struct held_locks {
  static constexpr std::size_t most = 16;
  std::array<const ordered_lock*, most> all{};
  std::size_t count = 0;
};
// Of the calling thread. A scheduler that runs several on one of the machine's exchanges it.
held_locks& locks_held() noexcept;

// While it lives, the calling thread counts as one that has a lock of this level.
class level_scope {
 public:
  explicit level_scope(lock_level level, source_place made = source_place::here()) : place_(level, made) {
    place_.check();
    place_.enter();
  }
  ~level_scope() { place_.leave(); }
  level_scope(const level_scope&) = delete;
  level_scope& operator=(const level_scope&) = delete;

 private:
  [[no_unique_address]] lock_place place_;
};

}  // namespace ferryfs
