// SPDX-License-Identifier: MIT
// A file system (FUSE) that fails when it is told to: what a broken disk, a quota or a network file
// system says, and when.
#pragma once

#include "base/fd.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace sessions {

class FailingFolder {
  public:
    // errno of what fails; 0: it works.
    struct Failures {
        std::atomic<int> create{0};  // of files and folders
        std::atomic<int> rename{0};
        std::atomic<int> write{0};  // beyond `room`
        std::atomic<int> close{0};
        std::atomic<int> sync{0};        // of files
        std::atomic<int> folder{0};      // the same of folders
        std::atomic<bool> links{false};  // the number of links is 0, as some tell it
        std::atomic<int> slow{0};        // not an errno: syncing a file takes so many milliseconds
        std::atomic<std::uint64_t> room{0};  // so many bytes of a file work
    };

    // Mounted there, with nothing in it, for as long as this lives; everything is the owner's.
    FailingFolder(std::filesystem::path path, uid_t owner);
    ~FailingFolder();
    FailingFolder(const FailingFolder&) = delete;
    FailingFolder& operator=(const FailingFolder&) = delete;

    // The reason why there can be none here.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

    Failures failures;

    // How often files and folders have been synced, and how many bytes the last file had then.
    struct Synced {
        std::atomic<int> files{0};
        std::atomic<int> folders{0};
        std::atomic<std::uint64_t> size{0};
    };
    Synced synced;

  private:
    struct Node {
        std::string name;
        bool folder = false;
        std::uint64_t size = 0;
    };
    struct Request;

    void serve();
    void answer(const Request& request);
    void reply(const Request& request, int error, const void* data = nullptr, std::size_t size = 0);
    template <typename Out>
    void reply_with(const Request& request, const Out& out) {
        reply(request, 0, &out, sizeof out);
    }
    void reply_entry(const Request& request, std::uint64_t number);
    void make(const Request& request, const char* name, bool folder);
    [[nodiscard]] std::uint64_t find(const std::string& name) const;

    std::filesystem::path path_;
    uid_t owner_;
    std::string trouble_;
    base::Fd device_;
    base::Fd stop_;
    std::map<std::uint64_t, Node> nodes_;
    std::uint64_t last_ = 1;
    std::thread thread_;
};

}  // namespace sessions
