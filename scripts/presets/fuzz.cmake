# libFuzzer is clang's. scripts/fuzz builds this; of the product it compiles what the targets reach (tests/fuzz).
set(CMAKE_CXX_COMPILER clang++ CACHE STRING "")
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only" CACHE STRING "")
set(CMAKE_CXX_FLAGS "-Xclang -fno-pch-timestamp -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" CACHE STRING "")
set(FERRYFS_FUZZ ON CACHE BOOL "")
