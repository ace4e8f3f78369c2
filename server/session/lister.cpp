// SPDX-License-Identifier: MIT
// Finds what a listing is to show, sorts it and turns it into lines; runs in the session. LIST and
// NLST come sorted and know the names of a folder first; MLSD is sent as it is read.
#include "session/lister.hpp"

#include "ftp/cmds_list.hpp"
#include "ftp/path.hpp"
#include "session/files.hpp"
#include "session/folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace session {

using base::Error;
using base::Fd;
using base::Result;
using base::success;

namespace {

// What one listing may cost; more is cut short, and the client is told.
constexpr std::size_t most_bytes = 64 << 20;          // of names and times, at one moment
constexpr std::size_t most_pending_bytes = 16 << 20;  // of folders that -R has yet to visit
constexpr std::uint64_t most_entries = 1'000'000;     // with -R
constexpr int deepest = 100;                          // with -R
constexpr std::uint64_t most_steps = 200'000'000;     // of matching names; about a second

constexpr std::size_t batch = 32 << 10;  // bytes of lines that are sent at once

constexpr unsigned for_ls =
    STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID | STATX_SIZE | STATX_MTIME;
constexpr unsigned for_facts = for_ls | STATX_INO;
constexpr unsigned for_names = STATX_TYPE | STATX_MTIME;

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

std::string below(std::string folder, std::string_view name) {
    if (!folder.ends_with('/')) folder += '/';
    return folder += name;
}

// One thing by its path, links shown as such.
Result<ftp::Entry> entry_of(const Files& files, const std::string& path, unsigned wanted) {
    TRY(const auto found, files.find(path, false));
    TRY(auto entry, entry_at(found, "", wanted));
    if (S_ISLNK(entry.mode)) entry.target = link_target(found, "");
    return entry;
}

// ----- what the client may do, for the perm fact

struct FolderRights {
    bool writable = false;
    bool sticky = false;     // only for the owners of the folder and of what is in it
    bool read_only = false;  // nothing in it can be written to, whatever its mode
};

class Rights {
  public:
    Rights(const config::Options& on, const ipc::Admission& admission)
        : uid_(admission.uid), groups_(admission.groups) {
        groups_.push_back(admission.gid);
        const bool anonymous = admission.anonymous_rights;
        const auto may = [&](bool anonymous_may, std::string_view verb) {
            return on.write_enable && (!anonymous || anonymous_may) && is_allowed(on, verb);
        };
        viewer_.uid = uid_;
        viewer_.download = on.download_enable && is_allowed(on, "RETR");
        viewer_.listing = on.dirlist_enable;
        viewer_.make_folders = may(on.anon_mkdir_write_enable, "MKD");
        viewer_.rename_delete = may(on.anon_other_write_enable, "DELE");
        new_files_ = may(on.anon_upload_enable, "STOR");
        old_files_ = may(on.anon_other_write_enable, "STOR");
    }

    // By the mode, as the rights to what is in it.
    [[nodiscard]] FolderRights in(const Fd& folder) const {
        FolderRights rights;
        struct stat status {};
        struct statvfs space {};
        if (::fstat(folder.get(), &status) < 0 || ::fstatvfs(folder.get(), &space) < 0)
            return rights;
        constexpr mode_t needed = 03;
        rights.read_only = (space.f_flag & ST_RDONLY) != 0;
        rights.writable = !rights.read_only && (mode_for_us(status) & needed) == needed;
        rights.sticky = (status.st_mode & S_ISVTX) != 0 && status.st_uid != uid_;
        return rights;
    }

    [[nodiscard]] ftp::Viewer viewer(const ftp::Entry& entry, const FolderRights& parent) const {
        auto viewer = viewer_;
        viewer.groups = groups_;
        viewer.upload = !parent.read_only && (S_ISDIR(entry.mode) ? new_files_ : old_files_);
        viewer.make_folders = viewer.make_folders && !parent.read_only;
        viewer.rename_delete = viewer.rename_delete && !parent.read_only;
        viewer.parent_writable = parent.writable && (!parent.sticky || entry.uid == uid_);
        return viewer;
    }

  private:
    static bool is_allowed(const config::Options& on, std::string_view verb) {
        return ftp::command_allowed(on.cmds_allowed, on.cmds_denied, verb);
    }

    [[nodiscard]] mode_t mode_for_us(const struct stat& status) const {
        if (uid_ == 0) return 07;
        if (status.st_uid == uid_) return (status.st_mode >> 6) & 07;
        const bool ours = std::find(groups_.begin(), groups_.end(), status.st_gid) != groups_.end();
        return (status.st_mode >> (ours ? 3 : 0)) & 07;
    }

    uid_t uid_;
    std::vector<gid_t> groups_;
    ftp::Viewer viewer_{};
    bool new_files_ = false;
    bool old_files_ = false;
};

// ----- names of one folder, in the order of the listing

// What a line needs, in few bytes.
struct Known {
    std::uint64_t links;
    std::uint64_t size;
    std::int64_t mtime;
    std::uint32_t mtime_nanoseconds;
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

class Names {
  public:
    struct Name {
        const char* text;  // a NUL follows
        std::uint32_t known;
        std::uint16_t length;
        unsigned char type;

        [[nodiscard]] std::string_view view() const { return {text, length}; }
    };

    // False when that would be too many.
    bool add(const FolderReader::Name& name, const ftp::Entry* entry) {
        bytes_ += name.name.size() + sizeof(Name) + (entry != nullptr ? sizeof(Known) : 0);
        if (bytes_ > most_bytes) return false;
        names_.push_back({keep(name.name), static_cast<std::uint32_t>(known_.size()),
                          static_cast<std::uint16_t>(name.name.size()), name.type});
        if (entry != nullptr)
            known_.push_back({entry->links, entry->size, entry->mtime, entry->mtime_nanoseconds,
                              entry->mode, entry->uid, entry->gid});
        return true;
    }

    void sort(const ftp::ListOptions& options) {
        const auto key = [this](const Name& name) {
            if (known_.empty()) return ftp::SortKey{name.view()};
            const auto& known = known_[name.known];
            return ftp::SortKey{name.view(), known.mtime, known.mtime_nanoseconds};
        };
        std::sort(names_.begin(), names_.end(), [&](const Name& a, const Name& b) {
            return ftp::comes_before(key(a), key(b), options);
        });
    }

    [[nodiscard]] const std::vector<Name>& all() const { return names_; }

    [[nodiscard]] std::optional<ftp::Entry> entry(const Name& name) const {
        if (known_.empty()) return std::nullopt;
        const auto& known = known_[name.known];
        ftp::Entry entry;
        entry.links = known.links;
        entry.size = known.size;
        entry.mtime = known.mtime;
        entry.mtime_nanoseconds = known.mtime_nanoseconds;
        entry.mode = known.mode;
        entry.uid = known.uid;
        entry.gid = known.gid;
        return entry;
    }

  private:
    static constexpr std::size_t block_size = 64 << 10;

    // In blocks that never move, so that growing copies nothing.
    const char* keep(std::string_view name) {
        if (left_ < name.size() + 1) {
            blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size));
            left_ = block_size;
        }
        auto* place = blocks_.back().get() + (block_size - left_);
        std::memcpy(place, name.data(), name.size());
        place[name.size()] = '\0';
        left_ -= name.size() + 1;
        return place;
    }

    std::vector<Name> names_;
    std::vector<Known> known_;  // all of them or none
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t left_ = 0;
    std::size_t bytes_ = 0;
};

// ----- writing

// Lines for the sink, many at a time.
class Output {
  public:
    explicit Output(const Lister::Sink& sink) : sink_(sink) {}

    bool add(std::string_view line) {
        lines_ += line;
        return lines_.size() < batch || flush();
    }
    bool flush() {
        open_ = open_ && (lines_.empty() || sink_(lines_));
        lines_.clear();
        return open_;
    }

  private:
    const Lister::Sink& sink_;
    std::string lines_;
    bool open_ = true;
};

// anon_world_readable_only holds for what is in a folder, too.
Result<Fd> open_folder(const Files& files, const config::Options& options,
                       const ipc::Admission& admission, const std::string& path,
                       bool follow_last = true) {
    TRY(auto folder, files.open_folder(path, follow_last));
    if (!admission.anonymous_rights || !options.anon_world_readable_only) return folder;
    struct stat status {};
    if (::fstat(folder.get(), &status) < 0) return Error{path, errno};
    if ((status.st_mode & S_IROTH) == 0) return Error{path, EACCES};
    return folder;
}

class Writer {
  public:
    Writer(const Files& files, const config::Options& options, const ipc::Admission& admission,
           const NameOf& name_of, const Listing& listing, const Lister::Sink& sink)
        : files_(files),
          options_(options),
          admission_(admission),
          name_of_(name_of),
          listing_(listing),
          hidden_(options.hide_file),
          output_(sink) {
        view_.now = std::time(nullptr);
        view_.calendar = options.use_localtime ? ftp::local_calendar : ftp::utc_calendar;
        view_.hide_ids = options.hide_ids;
    }

    bool write(const Lister::Found& found) {
        if (!found.folder) {
            auto entry = found.entry;
            (void)add_line(entry, found.shown);
        } else if (listing_.style == Style::facts) {
            write_facts(found);
        } else {
            write_folders(found);
        }
        return output_.flush() && whole_;
    }

  private:
    // A folder that -R has yet to visit.
    struct Pending {
        std::string path;
        std::string shown;
        int depth;
    };

    // ----- one line

    // NLST has the folder in front of the name, as the client wrote it.
    static std::string prefix(std::string_view folder) {
        if (folder == ".") return {};
        return below(std::string(folder), {});
    }

    bool add_line(ftp::Entry& entry, std::string_view folder) {
        if (name_of_ && listing_.style == Style::ls) {
            entry.user = name_of_(false, entry.uid);
            entry.group = name_of_(true, entry.gid);
        }
        const bool classify = listing_.options.classify;
        return output_.add(listing_.style == Style::ls
                               ? ftp::ls_line(entry, view_, classify)
                               : ftp::nlst_line(prefix(folder), entry, classify));
    }

    [[nodiscard]] unsigned wanted() const {
        switch (listing_.style) {
            case Style::ls:
                return for_ls;
            case Style::facts:
                return for_facts;
            case Style::names:
                break;
        }
        return for_names;
    }

    // Only by its path is ".." the folder above within the root. What vanished in between, or may
    // not be looked at, is left out.
    std::optional<ftp::Entry> look_at(const Fd& folder, const std::string& path,
                                      std::string_view name) {
        const bool above = name == "..";
        auto entry = above ? entry_of(files_, below(path, name), wanted())
                           : entry_at(folder, name.data(), wanted());
        if (!entry) return std::nullopt;
        return std::move(entry.value());
    }

    void add_target(ftp::Entry& entry, const Fd& folder) const {
        if (S_ISLNK(entry.mode) && listing_.style != Style::names)
            entry.target = link_target(folder, entry.name.c_str());
    }

    bool shows(std::string_view name, const std::optional<ftp::Pattern>& pattern) {
        // A pattern that begins with a dot asks for such names.
        const bool all = listing_.options.all || dotted_pattern_;
        return ftp::shown(name, all, options_.force_dot_files) &&
               !hidden_.contains(name, hiding_steps_) &&
               (!pattern || pattern->matches(name, pattern_steps_));
    }

    // No use in reading any further name.
    [[nodiscard]] bool exhausted() const {
        return hiding_steps_.exhausted() || pattern_steps_.exhausted() || entries_ > most_entries;
    }

    // Each name that is to be shown, until `take` wants no more.
    template <typename Take>
    void each_name(const Fd& folder, const std::optional<ftp::Pattern>& pattern, Take take) {
        FolderReader reader(folder);
        for (;;) {
            const auto name = reader.next();
            if (!name || exhausted()) {
                whole_ = false;
                return;
            }
            if (!name.value()) return;
            if (shows(name.value()->name, pattern) && !take(*name.value())) return;
        }
    }

    // ----- MLSD

    void write_facts(const Lister::Found& found) {
        const Rights rights(options_, admission_);
        const auto here = rights.in(found.folder);
        auto not_removable = here;  // "." and ".."
        not_removable.writable = false;
        each_name(found.folder, found.pattern, [&](const FolderReader::Name& each) {
            auto entry = look_at(found.folder, found.path, each.name);
            if (!entry) return true;
            entry->name = each.name;
            add_target(*entry, found.folder);
            const auto relation = each.name == "."    ? ftp::Relation::current_folder
                                  : each.name == ".." ? ftp::Relation::parent_folder
                                                      : ftp::Relation::ordinary;
            const auto viewer = rights.viewer(*entry, is_dots(each.name) ? not_removable : here);
            return output_.add(ftp::data_line(ftp::fact_line(*entry, entry->name, listing_.facts,
                                                             viewer, options_.hide_ids, relation)));
        });
    }

    // ----- LIST and NLST

    void write_folders(const Lister::Found& found) {
        dotted_pattern_ = found.pattern && ftp::place(listing_.path)->name.starts_with('.');
        std::vector<Pending> pending;
        bool going_on =
            write_folder(found.folder, {found.path, found.shown, 0}, found.pattern, pending);
        while (going_on && !pending.empty()) {
            const auto next = std::move(pending.back());
            pending.pop_back();
            pending_bytes_ -= size_of(next);
            const auto folder = open_folder(files_, options_, admission_, next.path, false);
            if (folder)
                going_on = write_folder(folder.value(), next, found.pattern, pending);
            else
                whole_ = whole_ && is_ordinary(folder.error());
        }
    }

    // Unreadable, gone or no folder any more: no matter, says vsftpd.
    static bool is_ordinary(const Error& error) {
        return error.number == EACCES || error.number == ENOENT || error.number == ENOTDIR ||
               error.number == ELOOP;
    }

    static std::size_t size_of(const Pending& folder) {
        return folder.path.size() + folder.shown.size() + sizeof folder;
    }

    // False: there is no use in going on.
    bool write_folder(const Fd& folder, const Pending& where,
                      const std::optional<ftp::Pattern>& pattern, std::vector<Pending>& pending) {
        const auto& options = listing_.options;
        if (options.recursive && !output_.add(ftp::folder_heading(where.shown, where.depth == 0)))
            return false;
        auto names = names_in(folder, where.path, pattern);
        names.sort(options);
        const auto first_new = pending.size();
        for (const auto& name : names.all()) {
            auto entry = complete(names, name, folder, where.path);
            if (!entry) continue;
            if (!add_line(*entry, where.shown)) return false;
            if (options.recursive && S_ISDIR(entry->mode) && !is_dots(entry->name))
                add_pending(pending, where, entry->name);
        }
        std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first_new), pending.end());
        return !exhausted();
    }

    // With -t also what is needed to sort, and then everything: nothing is looked at twice.
    Names names_in(const Fd& folder, const std::string& path,
                   const std::optional<ftp::Pattern>& pattern) {
        Names names;
        each_name(folder, pattern, [&](const FolderReader::Name& each) {
            if (listing_.options.recursive) ++entries_;
            std::optional<ftp::Entry> entry;
            if (listing_.options.newest_first) {
                entry = look_at(folder, path, each.name);
                if (!entry) return true;
            }
            return names.add(each, entry ? &*entry : nullptr) || (whole_ = false);
        });
        return names;
    }

    // NLST needs no more than the name, unless it is to show or visit folders.
    [[nodiscard]] bool type_suffices(const Names::Name& name) const {
        if (listing_.style != Style::names || listing_.options.classify) return false;
        return !listing_.options.recursive || name.type != DT_UNKNOWN;
    }

    std::optional<ftp::Entry> complete(const Names& names, const Names::Name& name,
                                       const Fd& folder, const std::string& path) {
        auto entry = names.entry(name);
        if (!entry && type_suffices(name)) {
            entry.emplace();
            entry->mode = DTTOIF(name.type);
        }
        if (!entry) entry = look_at(folder, path, name.view());
        if (!entry) return entry;
        entry->name = name.view();
        add_target(*entry, folder);
        return entry;
    }

    void add_pending(std::vector<Pending>& pending, const Pending& above, std::string_view name) {
        Pending folder{below(above.path, name), below(above.shown, name), above.depth + 1};
        pending_bytes_ += size_of(folder);
        if (folder.depth > deepest || pending_bytes_ > most_pending_bytes) {
            pending_bytes_ -= size_of(folder);
            whole_ = false;
            return;
        }
        pending.push_back(std::move(folder));
    }

    const Files& files_;
    const config::Options& options_;
    const ipc::Admission& admission_;
    const NameOf& name_of_;
    const Listing& listing_;
    ftp::View view_{};
    ftp::NameFilter hidden_;
    ftp::Steps hiding_steps_{most_steps};
    ftp::Steps pattern_steps_{most_steps};
    bool dotted_pattern_ = false;
    Output output_;
    bool whole_ = true;  // nothing was left out for a bound
    std::uint64_t entries_ = 0;
    std::size_t pending_bytes_ = 0;
};

// As typed up to the last slash, or "." without one.
std::string typed_folder(std::string_view typed) {
    const auto slash = typed.rfind('/');
    if (slash == typed.npos) return ".";
    return std::string(slash == 0 ? "/" : typed.substr(0, slash));
}

}  // namespace

Result<void> Lister::look_up(const Listing& listing) {
    found_ = Found{};
    auto folder = open_folder(files_, options_, admission_, listing.path);
    if (folder) {
        found_.folder = std::move(folder.value());
        found_.path = listing.path;
        found_.shown = listing.typed.empty() ? "." : listing.typed;
        return success();
    }
    const auto number = folder.error().number;
    // A file, a pattern, a link to nothing or to itself; MLSD is for folders only (RFC 3659, 7.2).
    const bool else_where = number == ENOENT || number == ENOTDIR || number == ELOOP;
    if (!else_where || listing.style == Style::facts) return folder.error();
    return look_up_names(listing);
}

Result<void> Lister::look_up_names(const Listing& listing) {
    const auto slash = listing.path.rfind('/');
    const auto name = listing.path.substr(slash + 1);
    found_.shown = typed_folder(listing.typed);
    if (!ftp::Pattern::is_plain(name)) {
        found_.pattern = ftp::Pattern::parse(name);
        if (!found_.pattern) return Error{name, EINVAL};
        found_.path = listing.path.substr(0, slash + 1);
        TRY(found_.folder, open_folder(files_, options_, admission_, found_.path));
        return success();
    }
    TRY(found_.entry, entry_of(files_, listing.path, for_ls));
    // As if it were not there.
    ftp::Steps steps;
    if (ftp::hidden(options_.hide_file, name, steps)) return Error{name, ENOENT};
    found_.entry.name = name;
    return success();
}

bool Lister::write(const Listing& listing, const Sink& sink) {
    return Writer(files_, options_, admission_, name_of_, listing, sink).write(found_);
}

Result<std::string> Lister::facts(const std::string& path, std::string_view shown,
                                  ftp::Facts chosen) {
    TRY(const auto entry, entry_of(files_, path, for_facts));
    const Rights rights(options_, admission_);
    FolderRights above;
    if (const auto place = ftp::place(path)) {
        TRY(const auto folder, files_.find(place->parent));
        above = rights.in(folder);
    }
    return ftp::fact_line(entry, shown, chosen, rights.viewer(entry, above), options_.hide_ids);
}

}  // namespace session
