// SPDX-License-Identifier: MIT
// Lines of LIST, NLST, STAT, MLSD and MLST, and the options of LIST; runs in the session.
#pragma once

#include "ftp/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace ftp {

// What statx(2) told of one name.
struct Entry {
    std::string name;  // as shown: the last component, or the path as typed
    mode_t mode = 0;   // with the type bits
    std::uint64_t links = 1;
    uid_t uid = 0;
    gid_t gid = 0;
    std::uint64_t size = 0;
    std::int64_t mtime = 0;
    std::uint32_t mtime_nanoseconds = 0;  // for sorting
    std::string target;                   // of a symbolic link; empty: unknown
    std::string user;                     // text_userdb_names; empty: the number is shown
    std::string group;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};

// How to show it.
struct View {
    std::int64_t now = 0;
    Calendar calendar = utc_calendar;  // use_localtime: local_calendar
    bool hide_ids = false;
};

// The letters of LIST's option word. Those unknown are ignored.
struct ListOptions {
    bool all = false;           // a
    bool long_lines = false;    // l, for NLST
    bool recursive = false;     // R; counts only with ls_recurse_enable
    bool reversed = false;      // r
    bool newest_first = false;  // t
    bool classify = false;      // F
    bool unsorted = false;      // U, which vsftpd does not know: as the folder has them, at once
};

// "-aR some dir" -> options and "some dir". One option word, in front; a later one belongs to the
// name.
struct ListRequest {
    ListOptions options;
    std::string_view path;
};
[[nodiscard]] ListRequest parse_list(std::string_view argument);

// Is the name listed? "." and ".." with -a only; other dot files also with force_dot_files.
[[nodiscard]] bool shown(std::string_view name, bool all, bool force_dot_files);

// What the order depends on: two numbers, mostly enough to tell, and the name.
struct SortKey {
    std::uint64_t first = 0;
    std::uint32_t second = 0;
    std::string_view name{};
};

// By name bytes. So many at its beginning are the same in all names.
[[nodiscard]] SortKey sort_key(std::string_view name, std::size_t shared = 0);
// Newest first, then by name.
[[nodiscard]] SortKey newest_first(std::string_view name, std::int64_t mtime,
                                   std::uint32_t nanoseconds);
// Of keys of one kind; perhaps reversed.
[[nodiscard]] bool comes_before(const SortKey& a, const SortKey& b, const ListOptions& options);

// Lines are written at the end of a text, in parts: what is in front of the name, and from the name
// on.
void add_ls_front(std::string& to, const Entry& entry, const View& view);
void add_ls_name(std::string& to, const Entry& entry, bool classify);
void add_nlst_name(std::string& to, const Entry& entry, bool classify);

// The line that began at `start` is for a data connection: CRLF at its end, an LF in it (a name's)
// sent as NUL, as in replies.
void end_data_line(std::string& text, std::size_t start);

// ----- MLSD and MLST (RFC 3659) -----

enum Fact : unsigned {
    fact_type = 1,
    fact_size = 2,
    fact_modify = 4,
    fact_perm = 8,
    fact_unique = 16,
    fact_mode = 32,
    fact_owner = 64,
    fact_group = 128,
};
using Facts = unsigned;
inline constexpr Facts all_facts = 255;

// The facts that the client names ("type;size;"), unknown ones ignored. A leading blank is allowed.
[[nodiscard]] Facts parse_facts(std::string_view list);

// "type;size;" in our order, for the answer to OPTS MLST.
[[nodiscard]] std::string fact_names(Facts chosen);

// "type*;size*;perm;" for FEAT: what can be had, an asterisk behind what is chosen.
[[nodiscard]] std::string fact_features(Facts chosen);

// What the perm fact tells: who looks, and what the configuration lets them do.
struct Viewer {
    uid_t uid = 0;
    std::span<const gid_t> groups{};
    bool download = true;          // RETR
    bool listing = true;           // LIST and its kin
    bool upload = false;           // STOR, APPE onto a file
    bool make_folders = false;     // MKD
    bool rename_delete = false;    // RNFR, DELE, RMD
    bool parent_writable = false;  // the folder that holds the entry
};
[[nodiscard]] std::string permissions_fact(const Entry& entry, const Viewer& viewer);

enum class Relation { ordinary, current_folder, parent_folder };

// "type=file;size=3;modify=20261123225048; name", for end_data_line() in MLSD, for reply::facts()
// in MLST. The name is `shown_name`: MLSD has the last component, MLST the whole path.
void add_facts(std::string& to, const Entry& entry, std::string_view shown_name, Facts chosen,
               const Viewer& viewer, bool hide_ids, Relation relation = Relation::ordinary);

}  // namespace ftp
