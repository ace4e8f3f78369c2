// SPDX-License-Identifier: MIT
// Finds what a listing is to show, sorts it and turns it into lines; runs in the session. LIST and
// NLST come sorted, so that all lines of a folder are there before the first is sent; MLSD and LIST
// -U are sent as the folder is read.
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
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace session {

using base::Error;
using base::Fd;
using base::Result;
using base::success;

namespace {

// What one listing may cost; more is cut short, and the client is told.
constexpr std::size_t most_bytes = 128 << 20;         // of lines to sort, at one moment
constexpr std::size_t most_pending_bytes = 16 << 20;  // of folders that -R has yet to visit
constexpr std::uint64_t most_entries = 1'000'000;     // with -R
constexpr int deepest = 100;                          // with -R
constexpr std::uint64_t most_steps = 200'000'000;     // of matching names; about a second

constexpr std::size_t batch = 64 << 10;  // bytes of lines that are sent at once

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
    ftp::Entry entry;
    TRY(look_at(found, "", wanted, entry));
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

// ----- lines of one folder, in the order of the listing

constexpr std::size_t huge_page = 2 << 20;  // on most processors; elsewhere they stay small
constexpr std::size_t much = 512 << 10;

// Memory for much at once is huge pages, where the kernel has them: to touch a small one for the
// first time can cost as much as ten system calls.
template <typename T>
struct Pages {
    using value_type = T;

    T* allocate(std::size_t count) {
        const auto size = count * sizeof(T);
        return static_cast<T*>(size < much ? ::operator new(size) : map(whole(size)));
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        const auto size = count * sizeof(T);
        if (size < much)
            ::operator delete(memory);
        else
            ::munmap(memory, whole(size));
    }
    friend bool operator==(const Pages&, const Pages&) { return true; }

  private:
    static std::size_t whole(std::size_t size) {
        return (size + huge_page - 1) / huge_page * huge_page;
    }

    // A huge page begins at a multiple of its size; what is mapped around it goes back. So where
    // RLIMIT_AS ends there is room left for sending what was found.
    static void* map(std::size_t size) {
        auto* mapped = ::mmap(nullptr, size + huge_page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED) throw std::bad_alloc();
        auto* begin = static_cast<std::byte*>(mapped);
        const auto ahead = huge_page - reinterpret_cast<std::uintptr_t>(begin) % huge_page;
        ::munmap(begin, ahead);
        if (ahead < huge_page) ::munmap(begin + ahead + size, huge_page - ahead);
        (void)::madvise(begin + ahead, size, MADV_HUGEPAGE);
        return begin + ahead;
    }
};

// Texts in blocks that never move, so that growing copies nothing.
class Texts {
  public:
    Texts() = default;
    Texts(const Texts&) = delete;
    Texts& operator=(const Texts&) = delete;
    ~Texts() {
        for (const auto& block : blocks_) Pages<char>().deallocate(block.data(), block.size());
    }

    const char* keep(std::string_view text) {
        if (left_.size() < text.size()) add_block();
        std::memcpy(left_.data(), text.data(), text.size());
        const auto* place = left_.data();
        left_ = left_.subspan(text.size());
        return place;
    }

  private:
    static constexpr std::size_t small = 64 << 10;

    void add_block() {
        const auto size = blocks_.size() < much / small ? small : huge_page;
        blocks_.emplace_back();
        blocks_.back() = {Pages<char>().allocate(size), size};
        left_ = blocks_.back();
    }

    std::vector<std::span<char>> blocks_;
    std::span<char> left_;  // of the last one
};

class Lines {
  public:
    struct Line {
        const char* text;
        std::uint64_t first;   // of its ftp::SortKey
        std::uint32_t second;  // and this
        std::uint16_t size;
        std::uint16_t name_at;
        std::uint16_t name_size;
        bool is_folder;

        [[nodiscard]] std::string_view view() const { return {text, size}; }
        [[nodiscard]] std::string_view name() const { return {text + name_at, name_size}; }
        [[nodiscard]] ftp::SortKey key() const { return {first, second, name()}; }
    };

    explicit Lines(const ftp::ListOptions& options) : options_(options) {}

    // False when that would be too many, or more than RLIMIT_AS has room for.
    bool add(std::string_view text, std::size_t name_at, const ftp::Entry& entry) {
        bytes_ += text.size() + sizeof(Line);
        if (bytes_ > most_bytes) return false;
        const auto key = options_.newest_first
                             ? ftp::newest_first(entry.name, entry.mtime, entry.mtime_nanoseconds)
                             : ftp::SortKey{};
        try {
            lines_.push_back({texts_.keep(text), key.first, key.second,
                              static_cast<std::uint16_t>(text.size()),
                              static_cast<std::uint16_t>(name_at),
                              static_cast<std::uint16_t>(entry.name.size()), S_ISDIR(entry.mode)});
        } catch (const std::bad_alloc&) {
            return false;
        }
        return true;
    }

    void sort() {
        if (!options_.newest_first) number_names();
        std::sort(lines_.begin(), lines_.end(), [this](const Line& a, const Line& b) {
            if (a.first != b.first) return (a.first < b.first) != options_.reversed;
            return ftp::comes_before(a.key(), b.key(), options_);
        });
    }

    [[nodiscard]] std::span<const Line> all() const { return lines_; }

  private:
    void number_names() {
        auto shared = lines_.empty() ? 0 : lines_.front().name().size();
        for (const auto& line : lines_) {
            const auto common = lines_.front().name().substr(0, shared);
            const auto name = line.name();
            shared = static_cast<std::size_t>(
                std::mismatch(common.begin(), common.end(), name.begin(), name.end()).first -
                common.begin());
        }
        for (auto& line : lines_) line.first = ftp::sort_key(line.name(), shared).first;
    }

    const ftp::ListOptions& options_;
    std::vector<Line, Pages<Line>> lines_;
    Texts texts_;
    std::size_t bytes_ = 0;
};

// ----- writing

// Lines for the sink, many at a time.
class Output {
  public:
    explicit Output(const Lister::Sink& sink) : sink_(sink) {}

    // At its end a line is written; then it is told.
    std::string& begin() {
        begun_ = lines_.size();
        return lines_;
    }
    bool end() {
        ftp::end_data_line(lines_, begun_);
        return lines_.size() < batch || flush();
    }
    bool add(std::string_view line) {
        begin() += line;
        return end();
    }
    bool flush() {
        open_ = open_ && (lines_.empty() || sink_(lines_));
        lines_.clear();
        return open_;
    }

  private:
    const Lister::Sink& sink_;
    std::string lines_;
    std::size_t begun_ = 0;
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
        // std::time() lags behind the times that new files get: they would be in the future.
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        view_.now = now.tv_sec;
        view_.calendar = options.use_localtime ? ftp::local_calendar : ftp::utc_calendar;
        view_.hide_ids = options.hide_ids;
    }

    bool write(const Lister::Found& found) {
        if (!found.folder) {
            auto entry = found.entry;
            add_names(entry);
            (void)add_line(output_.begin(), entry, prefix(found.shown));
            (void)output_.end();
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
    [[nodiscard]] std::string prefix(std::string_view folder) const {
        if (folder == "." || listing_.style != Style::names) return {};
        return below(std::string(folder), {});
    }

    void add_names(ftp::Entry& entry) const {
        if (!name_of_ || listing_.style != Style::ls) return;
        entry.user = name_of_(false, entry.uid);
        entry.group = name_of_(true, entry.gid);
    }

    // At the end of `text`; where the name begins.
    std::size_t add_line(std::string& text, const ftp::Entry& entry,
                         std::string_view prefix) const {
        const auto start = text.size();
        const bool classify = listing_.options.classify;
        if (listing_.style != Style::ls) {
            text += prefix;
            ftp::add_nlst_name(text, entry, classify);
            return prefix.size();
        }
        ftp::add_ls_front(text, entry, view_);
        const auto name_at = text.size() - start;
        ftp::add_ls_name(text, entry, classify);
        return name_at;
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

    // NLST needs no more than the name, unless it is to sort by time, to show or visit folders.
    [[nodiscard]] bool type_suffices(unsigned char type) const {
        const auto& options = listing_.options;
        if (listing_.style != Style::names || options.classify || options.newest_first)
            return false;
        return !options.recursive || type != DT_UNKNOWN;
    }

    // Only by its path is ".." the folder above within the root. Where that is the root itself the
    // kernel's ".." will do, at a third of the cost.
    bool look_above(const Fd& folder, const std::string& path, ftp::Entry& entry) const {
        const bool below_root = path.find('/', 1) == path.npos;
        if (below_root && look_at(folder, "..", wanted() | STATX_INO, entry) &&
            files_.is_root(entry.device, entry.inode))
            return true;
        auto above = entry_of(files_, below(path, ".."), wanted());
        if (!above) return false;
        entry = std::move(above.value());
        return true;
    }

    // What vanished in between, or may not be looked at, is left out: false.
    bool complete(ftp::Entry& entry, const FolderReader::Name& name, const Fd& folder,
                  const std::string& path) const {
        if (type_suffices(name.type)) {
            entry.mode = DTTOIF(name.type);
        } else if (name.name == "..") {
            if (!look_above(folder, path, entry)) return false;
        } else if (!look_at(folder, name.name.data(), wanted(), entry)) {
            return false;
        }
        entry.name = name.name;
        entry.target.clear();
        if (S_ISLNK(entry.mode) && listing_.style != Style::names)
            entry.target = link_target(folder, name.name.data());
        add_names(entry);
        return true;
    }

    bool shows(std::string_view name, const std::optional<ftp::Pattern>& pattern) {
        // A pattern that begins with a dot asks for such names.
        const bool all = listing_.options.all || dotted_pattern_;
        return ftp::shown(name, all, options_.force_dot_files) &&
               (is_dots(name) || !hidden_.contains(name, hiding_steps_)) &&
               (!pattern || pattern->matches(name, pattern_steps_));
    }

    // No use in reading any further name.
    [[nodiscard]] bool exhausted() const {
        return hiding_steps_.exhausted() || pattern_steps_.exhausted() || entries_ > most_entries;
    }

    // What is to be shown, one after the other, until `take` wants no more.
    template <typename Take>
    void each_entry(const Fd& folder, const std::string& path,
                    const std::optional<ftp::Pattern>& pattern, Take take) {
        FolderReader reader(folder);
        ftp::Entry entry;
        for (;;) {
            const auto name = reader.next();
            if (!name || exhausted()) {
                whole_ = false;
                return;
            }
            if (!name.value()) return;
            if (!shows(name.value()->name, pattern)) continue;
            if (listing_.options.recursive) ++entries_;
            if (complete(entry, *name.value(), folder, path) && !take(entry)) return;
        }
    }

    // ----- MLSD

    void write_facts(const Lister::Found& found) {
        const Rights rights(options_, admission_);
        const auto here = rights.in(found.folder);
        auto not_removable = here;  // "." and ".."
        not_removable.writable = false;
        each_entry(found.folder, found.path, found.pattern, [&](const ftp::Entry& entry) {
            const auto relation = entry.name == "."    ? ftp::Relation::current_folder
                                  : entry.name == ".." ? ftp::Relation::parent_folder
                                                       : ftp::Relation::ordinary;
            const auto viewer = rights.viewer(entry, is_dots(entry.name) ? not_removable : here);
            ftp::add_facts(output_.begin(), entry, entry.name, listing_.facts, viewer,
                           options_.hide_ids, relation);
            return output_.end();
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
        if (options.recursive && !write_heading(where)) return false;
        const auto first_new = pending.size();
        const bool open = options.unsorted ? write_unsorted(folder, where, pattern, pending)
                                           : write_sorted(folder, where, pattern, pending);
        std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(first_new), pending.end());
        return open && !exhausted();
    }

    // An empty line between folders.
    bool write_heading(const Pending& where) {
        return (where.depth == 0 || output_.add({})) && output_.add(where.shown + ':');
    }

    bool write_unsorted(const Fd& folder, const Pending& where,
                        const std::optional<ftp::Pattern>& pattern, std::vector<Pending>& pending) {
        const auto in_front = prefix(where.shown);
        bool open = true;
        each_entry(folder, where.path, pattern, [&](const ftp::Entry& entry) {
            add_pending(pending, where, S_ISDIR(entry.mode), entry.name);
            (void)add_line(output_.begin(), entry, in_front);
            return open = output_.end();
        });
        return open;
    }

    bool write_sorted(const Fd& folder, const Pending& where,
                      const std::optional<ftp::Pattern>& pattern, std::vector<Pending>& pending) {
        const auto in_front = prefix(where.shown);
        Lines lines(listing_.options);
        std::string line;
        each_entry(folder, where.path, pattern, [&](const ftp::Entry& entry) {
            line.clear();
            const auto name_at = add_line(line, entry, in_front);
            return lines.add(line, name_at, entry) || (whole_ = false);
        });
        lines.sort();
        for (const auto& each : lines.all()) {
            if (!output_.add(each.view())) return false;
            add_pending(pending, where, each.is_folder, each.name());
        }
        return true;
    }

    // With -R, if it is to be visited.
    void add_pending(std::vector<Pending>& pending, const Pending& above, bool is_folder,
                     std::string_view name) {
        if (!listing_.options.recursive || !is_folder || is_dots(name)) return;
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
    std::string line;
    ftp::add_facts(line, entry, shown, chosen, rights.viewer(entry, above), options_.hide_ids);
    return line;
}

}  // namespace session
