set(CMAKE_BUILD_TYPE Release CACHE STRING "")
# Functions and lines for a backtrace; with variables g++ takes half as long again.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG" CACHE STRING "")
