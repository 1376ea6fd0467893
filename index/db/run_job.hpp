// writer::run and writer::run_deferred, for jobs of any result. Included by writer.hpp alone.
#pragma once

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

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
  // Shared: the promise must live until set_value has returned, which may be after the future was got.
  auto promise = std::make_shared<std::promise<result>>();
  auto future = promise->get_future();
  auto fulfil = std::make_shared<std::function<void()>>();
  post(
      [&work, promise, fulfil](transaction& t) {
        if constexpr (std::is_void_v<result>) {
          work(t);
          *fulfil = [p = promise.get()] { p->set_value(); };
        } else {
          *fulfil = [p = promise.get(), value = work(t)] { p->set_value(value); };
        }
      },
      [promise, fulfil](std::exception_ptr failure) { failure ? promise->set_exception(failure) : (*fulfil)(); });
  return future.get();
}

}  // namespace ferryfs::index
