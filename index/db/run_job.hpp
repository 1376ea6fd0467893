// writer::run and writer::run_deferred, for jobs of any result. Included by writer.hpp alone.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "index/base/promise.hpp"
#include "index/db/writer.hpp"

namespace ferryfs::index {

template <typename Work>
auto writer::run(Work work) -> std::invoke_result_t<Work, transaction&> {
  return run(std::move(work), commit::now);
}

template <typename Work>
auto writer::run_deferred(Work work) -> std::invoke_result_t<Work, transaction&> {
  return run(std::move(work), commit::deferred);
}

template <typename Work>
auto writer::run(Work work, commit when) -> std::invoke_result_t<Work, transaction&> {
  using result = std::invoke_result_t<Work, transaction&>;
  if constexpr (std::is_void_v<result>) {
    if (run_here([&work](transaction& t) { work(t); }, when)) return;
  } else {
    std::optional<result> got;
    if (run_here([&](transaction& t) { got = work(t); }, when)) return *std::move(got);
  }
  using answer = std::conditional_t<std::is_void_v<result>, ferryfs::answer_mark, result>;
  const auto promised = std::make_shared<promise<answer>>();
  const auto value = std::make_shared<std::optional<answer>>();
  post(
      [&work, value](transaction& t) {
        if constexpr (std::is_void_v<result>) {
          work(t);
          value->emplace();
        } else {
          value->emplace(work(t));
        }
      },
      [promised, value](std::exception_ptr failure) {
        failure ? promised->set_exception(failure) : promised->set_value(*std::move(*value));
      });
  if constexpr (std::is_void_v<result>)
    promised->get();
  else
    return promised->get();
}

}  // namespace ferryfs::index
