// Clang's thread-safety annotations, as its documentation names them; nothing for other compilers. scripts/lint has
// clang check them (-Wthread-safety).
#pragma once

#if defined(__clang__)
#define FERRYFS_ANNOTATION(x) __attribute__((x))
#else
#define FERRYFS_ANNOTATION(x)
#endif

#define CAPABILITY(x) FERRYFS_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY FERRYFS_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) FERRYFS_ANNOTATION(guarded_by(x))
#define PT_GUARDED_BY(x) FERRYFS_ANNOTATION(pt_guarded_by(x))
#define ACQUIRED_BEFORE(...) FERRYFS_ANNOTATION(acquired_before(__VA_ARGS__))
#define ACQUIRED_AFTER(...) FERRYFS_ANNOTATION(acquired_after(__VA_ARGS__))
#define REQUIRES(...) FERRYFS_ANNOTATION(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) FERRYFS_ANNOTATION(requires_shared_capability(__VA_ARGS__))
#define ACQUIRE(...) FERRYFS_ANNOTATION(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) FERRYFS_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) FERRYFS_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRE_SHARED(...) FERRYFS_ANNOTATION(try_acquire_shared_capability(__VA_ARGS__))
#define RELEASE(...) FERRYFS_ANNOTATION(release_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) FERRYFS_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define RELEASE_GENERIC(...) FERRYFS_ANNOTATION(release_generic_capability(__VA_ARGS__))
#define EXCLUDES(...) FERRYFS_ANNOTATION(locks_excluded(__VA_ARGS__))
#define RETURN_CAPABILITY(x) FERRYFS_ANNOTATION(lock_returned(x))
#define ASSERT_CAPABILITY(...) FERRYFS_ANNOTATION(assert_capability(__VA_ARGS__))
// Says why in a comment beside it.
#define NO_THREAD_SAFETY_ANALYSIS FERRYFS_ANNOTATION(no_thread_safety_analysis)
