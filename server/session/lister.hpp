// SPDX-License-Identifier: MIT
// What LIST, NLST, STAT, MLSD and MLST show; runs in the session.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/options.hpp"
#include "ftp/listing.hpp"
#include "ftp/pattern.hpp"
#include "ipc/admission.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace session {

class Files;

enum class Style { ls, names, facts };

// What a listing shows, looked up before the data connection is opened, so that what is missing is
// refused with a reason.
struct Listing {
    Style style = Style::ls;
    ftp::ListOptions options;
    std::string typed;  // the path as the client wrote it, for NLST's prefix; may be a pattern
    std::string path;   // absolute
    ftp::Facts facts = ftp::all_facts;
};

// text_userdb_names: the name of a user or group; empty when it has none.
using NameOf = std::function<std::string(bool group, std::uint32_t number)>;

class Lister {
  public:
    // Without name_of numbers are shown.
    Lister(const Files& files, const config::Options& options, const ipc::Admission& admission,
           NameOf name_of = {})
        : files_(files), options_(options), admission_(admission), name_of_(std::move(name_of)) {}

    // False: nobody takes any more.
    using Sink = std::function<bool(std::string_view lines)>;

    // An error when there is nothing of that name, or it may not be read.
    [[nodiscard]] base::Result<void> look_up(const Listing& listing);

    // What look_up found; false when it was cut short by a bound or by the sink.
    [[nodiscard]] bool write(const Listing& listing, const Sink& sink);

    // MLST: one fact line, named `shown`.
    [[nodiscard]] base::Result<std::string> facts(const std::string& path, std::string_view shown,
                                                  ftp::Facts chosen);

    // What look_up found.
    struct Found {
        base::Fd folder;                      // none: `entry` alone
        std::string path;                     // the folder's, absolute
        std::string shown;                    // and as the client wrote it: "." when it wrote none
        std::optional<ftp::Pattern> pattern;  // of the names in it
        ftp::Entry entry;
    };

  private:
    [[nodiscard]] base::Result<void> look_up_names(const Listing& listing);

    const Files& files_;
    const config::Options& options_;
    const ipc::Admission& admission_;
    NameOf name_of_;
    Found found_{};
};

}  // namespace session
