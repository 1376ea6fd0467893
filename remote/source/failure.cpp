#include "remote/source/failure.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <new>
#include <system_error>

#include "index/base/exception_barrier.hpp"

namespace ferryfs::remote {
namespace {

// A damaged page spoils what is entered in it; a full disk everything.
bool is_of_disk(const SQLite::Exception& e) {
  switch (e.getErrorCode()) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
      return true;
    default:
      return false;
  }
}

}  // namespace

failure failure_of(const std::exception_ptr& thrown, const std::string& where) {
  cause why = cause::misplaced;
  try {
    std::rethrow_exception(thrown);
  } catch (const failure& f) {
    return f;
  } catch (const SQLite::Exception& e) {
    if (is_of_disk(e)) why = cause::local_error;
  } catch (const std::system_error& e) {
    if (remote::is_of_disk(e.code().value())) why = cause::local_error;
  } catch (const std::bad_alloc&) {
    why = cause::local_error;
  } catch (...) {
  }
  return {why, where + ": " + text_of(thrown)};
}

}  // namespace ferryfs::remote
