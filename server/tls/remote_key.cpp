// SPDX-License-Identifier: MIT
// The provider: keys that hold no secret, and signatures that the signer makes. Read with
// provider-keymgmt(7) and provider-signature(7).
#include "tls/remote_key.hpp"

#include "tls/certificates.hpp"

#include <openssl/bn.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include <algorithm>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

// OpenSSL calls all of this through C; an exception (no memory) would end the process either way.
namespace tls {
namespace {

// ----- keys

// What a handshake needs to know of a key whose secret is elsewhere.
struct Origin {
    KeyId id{};
    std::shared_ptr<const SignFunction> sign;
};

struct RemoteKey {
    explicit RemoteKey(KeyType wanted) : type(wanted) {}
    KeyType type;
    Bytes modulus, exponent;  // RSA
    std::string curve;        // EC
    Bytes point;              // EC and Ed25519
    std::optional<Origin> origin;

    [[nodiscard]] bool complete() const {
        return type == KeyType::rsa ? !modulus.empty() && !exponent.empty() : !point.empty();
    }
    [[nodiscard]] bool equals(const RemoteKey& other) const {
        return type == other.type && modulus == other.modulus && exponent == other.exponent &&
               curve == other.curve && point == other.point;
    }
};

// How the origin comes in through OpenSSL: as the address of one.
constexpr const char* origin_parameter = "jailftpd-origin";

template <KeyType type>
void* new_key(void*) noexcept {
    return new (std::nothrow) RemoteKey(type);
}

void free_key(void* key) noexcept { delete static_cast<RemoteKey*>(key); }

bool take_number(const OSSL_PARAM params[], const char* name, Bytes& bytes) {
    BIGNUM* taken = nullptr;
    const auto* param = OSSL_PARAM_locate_const(params, name);
    const bool present = param != nullptr && OSSL_PARAM_get_BN(param, &taken) == 1;
    const Owned<BIGNUM, BN_free> number{taken};
    if (!present) return false;
    bytes.resize(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return true;
}

bool take_bytes(const OSSL_PARAM params[], const char* name, Bytes& bytes) {
    const void* data = nullptr;
    std::size_t size = 0;
    const auto* param = OSSL_PARAM_locate_const(params, name);
    if (param == nullptr || OSSL_PARAM_get_octet_string_ptr(param, &data, &size) != 1) return false;
    const auto* first = static_cast<const unsigned char*>(data);
    bytes.assign(first, first + size);
    return true;
}

bool take_curve(const OSSL_PARAM params[], std::string& curve) {
    const char* name = nullptr;
    const auto* param = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);
    if (param == nullptr || OSSL_PARAM_get_utf8_string_ptr(param, &name) != 1) return false;
    curve = name;
    return key_curve(curve) != nullptr;
}

void take_origin(const OSSL_PARAM params[], std::optional<Origin>& origin) {
    const void* given = nullptr;
    std::size_t size = 0;
    const auto* param = OSSL_PARAM_locate_const(params, origin_parameter);
    if (param != nullptr && OSSL_PARAM_get_octet_ptr(param, &given, &size) == 1 && given != nullptr)
        origin = *static_cast<const Origin*>(given);
}

int import_key(void* into, int, const OSSL_PARAM params[]) noexcept {
    auto& key = *static_cast<RemoteKey*>(into);
    take_origin(params, key.origin);
    if (key.type == KeyType::rsa)
        return static_cast<int>(take_number(params, OSSL_PKEY_PARAM_RSA_N, key.modulus) &&
                                take_number(params, OSSL_PKEY_PARAM_RSA_E, key.exponent));
    if (key.type == KeyType::ec && !take_curve(params, key.curve)) return 0;
    return static_cast<int>(take_bytes(params, OSSL_PKEY_PARAM_PUB_KEY, key.point));
}

template <KeyType type>
const OSSL_PARAM* importable(int) noexcept {
    static const OSSL_PARAM of_rsa[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                        OSSL_PARAM_octet_ptr(origin_parameter, nullptr, 0),
                                        OSSL_PARAM_END};
    static const OSSL_PARAM of_curves[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
        OSSL_PARAM_octet_ptr(origin_parameter, nullptr, 0), OSSL_PARAM_END};
    return type == KeyType::rsa ? of_rsa : of_curves;
}

// To whom it may concern the private half is there: it can sign.
int has(const void* key, int) noexcept {
    return static_cast<int>(static_cast<const RemoteKey*>(key)->complete());
}

int match(const void* a, const void* b, int selection) noexcept {
    const auto& left = *static_cast<const RemoteKey*>(a);
    const auto& right = *static_cast<const RemoteKey*>(b);
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        return static_cast<int>(left.curve == right.curve);
    return static_cast<int>(left.equals(right));
}

struct Sizes {
    int bits;
    int security_bits;
    int largest_signature;
};

Sizes sizes_of(const RemoteKey& key) {
    if (key.type == KeyType::ed25519) return {256, 128, 64};
    if (key.type == KeyType::ec) {
        const auto* curve = key_curve(key.curve);
        return {curve->bits, curve->security_bits, curve->largest_signature};
    }
    const auto bytes = static_cast<int>(key.modulus.size());
    int bits = bytes * 8;
    for (unsigned bit = 0x80; bytes > 0 && bit > key.modulus.front(); bit >>= 1U) --bits;
    return {bits, BN_security_bits(bits, -1), bytes};
}

int get_key_params(void* of, OSSL_PARAM params[]) noexcept {
    const auto& key = *static_cast<const RemoteKey*>(of);
    const auto sizes = sizes_of(key);
    const auto set = [&](const char* name, auto setter, auto value) {
        auto* param = OSSL_PARAM_locate(params, name);
        return param == nullptr || setter(param, value) == 1;
    };
    // Ed25519 is used without a digest: "" says so.
    const char* digest = key.type == KeyType::ed25519 ? "" : "SHA256";
    return static_cast<int>(
        set(OSSL_PKEY_PARAM_BITS, OSSL_PARAM_set_int, sizes.bits) &&
        set(OSSL_PKEY_PARAM_SECURITY_BITS, OSSL_PARAM_set_int, sizes.security_bits) &&
        set(OSSL_PKEY_PARAM_MAX_SIZE, OSSL_PARAM_set_int, sizes.largest_signature) &&
        set(key.type == KeyType::ed25519 ? OSSL_PKEY_PARAM_MANDATORY_DIGEST
                                         : OSSL_PKEY_PARAM_DEFAULT_DIGEST,
            OSSL_PARAM_set_utf8_string, digest) &&
        (key.type != KeyType::ec ||
         set(OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_set_utf8_string, key.curve.c_str())));
}

const OSSL_PARAM* gettable_key_params(void*) noexcept {
    static const OSSL_PARAM all[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
        OSSL_PARAM_END};
    return all;
}

// A name that no other provider has, so that no other provider is tried: OpenSSL's own would find
// no private half.
template <KeyType type>
constexpr const char* signature_name = type == KeyType::rsa  ? "JAILFTPD-REMOTE-RSA"
                                       : type == KeyType::ec ? "JAILFTPD-REMOTE-EC"
                                                             : "JAILFTPD-REMOTE-ED25519";

template <KeyType type>
const char* operation_name(int operation) noexcept {
    return operation == OSSL_OP_SIGNATURE ? signature_name<type> : nullptr;
}

// ----- signatures

struct Signing {
    const RemoteKey* key = nullptr;  // OpenSSL holds the key as long as this
    std::string digest;              // as it is called in the table of schemes
    Padding padding = Padding::none;
};

void* new_signing(void*, const char*) noexcept { return new (std::nothrow) Signing; }

void free_signing(void* signing) noexcept { delete static_cast<Signing*>(signing); }

// OpenSSL has several names for each.
const char* look_up_digest(const char* name) {
    const Digest digest{EVP_MD_fetch(library(), name, nullptr)};
    if (!digest) return nullptr;
    for (const auto& each : all_schemes()) {
        if (each.digest != nullptr && EVP_MD_is_a(digest.get(), each.digest) == 1)
            return each.digest;
    }
    return nullptr;
}

// A handshake asks dozens of times.
const char* known_digest(const char* name) {
    static std::map<std::string, const char*, std::less<>> found;
    const auto at = found.find(std::string_view(name));
    return at != found.end() ? at->second : found.emplace(name, look_up_digest(name)).first->second;
}

const SchemeFacts* scheme_of(const Signing& signing) {
    const auto schemes = all_schemes();
    const auto found = std::find_if(schemes.begin(), schemes.end(), [&](const auto& each) {
        return each.key == signing.key->type && each.padding == signing.padding &&
               signing.digest == (each.digest == nullptr ? "" : each.digest);
    });
    return found == schemes.end() ? nullptr : &*found;
}

bool take_padding(const OSSL_PARAM* param, Padding& padding) {
    if (param == nullptr) return true;
    int number = 0;
    const char* name = "";
    if (param->data_type == OSSL_PARAM_UTF8_STRING) {
        if (OSSL_PARAM_get_utf8_string_ptr(param, &name) != 1) return false;
    } else if (OSSL_PARAM_get_int(param, &number) != 1) {
        return false;
    }
    const std::string_view text = name;
    const bool pss = number == RSA_PKCS1_PSS_PADDING || text == OSSL_PKEY_RSA_PAD_MODE_PSS;
    const bool pkcs1 = number == RSA_PKCS1_PADDING || text == OSSL_PKEY_RSA_PAD_MODE_PKCSV15;
    padding = pss ? Padding::pss : Padding::pkcs1;
    return pss || pkcs1;
}

// TLS knows one salt only, as long as the digest.
bool take_salt(const OSSL_PARAM* param) {
    if (param == nullptr) return true;
    int number = 0;
    const char* name = "";
    if (param->data_type == OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_get_utf8_string_ptr(param, &name) == 1 &&
               std::string_view(name) == OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST;
    return OSSL_PARAM_get_int(param, &number) == 1 && number == RSA_PSS_SALTLEN_DIGEST;
}

int set_signing_params(void* of, const OSSL_PARAM params[]) noexcept {
    auto& signing = *static_cast<Signing*>(of);
    if (params == nullptr) return 1;
    const auto* padding = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    const auto* salt = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    return static_cast<int>(take_padding(padding, signing.padding) && take_salt(salt));
}

const OSSL_PARAM* settable_signing_params(void*, void*) noexcept {
    static const OSSL_PARAM all[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0), OSSL_PARAM_END};
    return all;
}

// libssl also asks this way which digests a key can sign.
int start_signing(void* of, const char* digest, void* key, const OSSL_PARAM params[]) noexcept {
    auto& signing = *static_cast<Signing*>(of);
    if (key != nullptr) signing.key = static_cast<const RemoteKey*>(key);
    if (signing.key == nullptr) return 0;
    signing.digest.clear();
    if (digest != nullptr && *digest != '\0') {
        const auto* known = known_digest(digest);
        if (known == nullptr) return 0;
        signing.digest = known;
    }
    signing.padding = signing.key->type == KeyType::rsa ? Padding::pkcs1 : Padding::none;
    return static_cast<int>(set_signing_params(of, params) == 1 && scheme_of(signing) != nullptr);
}

base::Result<Bytes> have_signed(const Signing& signing, std::span<const unsigned char> bytes) {
    const auto* facts = scheme_of(signing);
    const auto& origin = signing.key->origin;
    if (facts == nullptr || !origin || !origin->sign || !*origin->sign)
        return base::Error{"this key cannot sign"};
    TRY(auto content, parse_content(bytes));
    return (*origin->sign)({origin->id, facts->scheme, std::move(content)});
}

int sign(void* of, unsigned char* signature, std::size_t* size, std::size_t room,
         const unsigned char* bytes, std::size_t length) noexcept {
    const auto& signing = *static_cast<const Signing*>(of);
    if (signing.key == nullptr) return 0;
    if (signature == nullptr) {
        *size = static_cast<std::size_t>(sizes_of(*signing.key).largest_signature);
        return 1;
    }
    const auto made = have_signed(signing, {bytes, length});
    if (!made || made.value().empty() || made.value().size() > room) {
        const auto why = made ? std::string("a signature of wrong size") : made.error().text();
        ERR_raise_data(ERR_LIB_PROV, ERR_R_OPERATION_FAIL, "no signature: %s", why.c_str());
        return 0;
    }
    std::copy(made.value().begin(), made.value().end(), signature);
    *size = made.value().size();
    return 1;
}

// ----- the tables that OpenSSL looks into

template <typename Function>
OSSL_DISPATCH entry(int id, Function* function) {
    return {id, reinterpret_cast<void (*)()>(function)};
}

template <KeyType type>
const OSSL_DISPATCH* key_functions() {
    // No export: the public half alone, in another provider, would look like a key that can sign.
    static const OSSL_DISPATCH table[] = {
        entry(OSSL_FUNC_KEYMGMT_NEW, &new_key<type>),
        entry(OSSL_FUNC_KEYMGMT_FREE, &free_key),
        entry(OSSL_FUNC_KEYMGMT_IMPORT, &import_key),
        entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, &importable<type>),
        entry(OSSL_FUNC_KEYMGMT_HAS, &has),
        entry(OSSL_FUNC_KEYMGMT_MATCH, &match),
        entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, &get_key_params),
        entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, &gettable_key_params),
        entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, &operation_name<type>),
        {0, nullptr}};
    return table;
}

const OSSL_DISPATCH* signature_functions() {
    // No update and final: what is signed is seen as a whole.
    static const OSSL_DISPATCH table[] = {
        entry(OSSL_FUNC_SIGNATURE_NEWCTX, &new_signing),
        entry(OSSL_FUNC_SIGNATURE_FREECTX, &free_signing),
        entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, &start_signing),
        entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, &sign),
        entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, &set_signing_params),
        entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, &settable_signing_params),
        {0, nullptr}};
    return table;
}

constexpr const char* provider_name = "jailftpd";
constexpr const char* property = "provider=jailftpd";

const OSSL_ALGORITHM* query(void*, int operation, int* may_not_be_kept) noexcept {
    // The names are those of OpenSSL's own keys: libssl goes by them.
    static const OSSL_ALGORITHM keys[] = {
        {"RSA:rsaEncryption:1.2.840.113549.1.1.1", property, key_functions<KeyType::rsa>(), ""},
        {"EC:id-ecPublicKey:1.2.840.10045.2.1", property, key_functions<KeyType::ec>(), ""},
        {"ED25519:1.3.101.112", property, key_functions<KeyType::ed25519>(), ""},
        {nullptr, nullptr, nullptr, nullptr}};
    static const OSSL_ALGORITHM signatures[] = {
        {signature_name<KeyType::rsa>, property, signature_functions(), ""},
        {signature_name<KeyType::ec>, property, signature_functions(), ""},
        {signature_name<KeyType::ed25519>, property, signature_functions(), ""},
        {nullptr, nullptr, nullptr, nullptr}};
    *may_not_be_kept = 0;
    if (operation == OSSL_OP_KEYMGMT) return keys;
    if (operation == OSSL_OP_SIGNATURE) return signatures;
    return nullptr;
}

int start_provider(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out,
                   void** context) noexcept {
    static const OSSL_DISPATCH table[] = {entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, &query),
                                          {0, nullptr}};
    static int something = 0;  // OpenSSL wants a context, we do not
    *out = table;
    *context = &something;
    return 1;
}

// Not library(): whoever asks there for RSA or EC keys (certificates, key exchanges) must get
// OpenSSL's own, and its cache of answers does not keep two providers apart.
OSSL_LIB_CTX* remote_library() {
    static OSSL_LIB_CTX* const instance = [] {
        auto* made = OSSL_LIB_CTX_new();
        if (made == nullptr ||
            OSSL_PROVIDER_add_builtin(made, provider_name, &start_provider) != 1 ||
            OSSL_PROVIDER_load(made, provider_name) == nullptr)
            throw std::runtime_error(openssl_error("no provider of remote keys").text());
        return made;
    }();
    return instance;
}

}  // namespace

void prepare_remote_keys() { (void)remote_library(); }

base::Result<Key> remote_key(X509* certificate, std::shared_ptr<const SignFunction> sign) {
    auto* public_half = X509_get0_pubkey(certificate);
    if (public_half == nullptr) return openssl_error("no public key");
    TRY(const auto id, key_id(public_half));
    OSSL_PARAM* taken = nullptr;
    if (EVP_PKEY_todata(public_half, EVP_PKEY_PUBLIC_KEY, &taken) != 1)
        return openssl_error("cannot read the public key");
    const Params facts{taken};

    Origin origin{id, std::move(sign)};
    void* address = &origin;
    const OSSL_PARAM more[] = {
        OSSL_PARAM_construct_octet_ptr(origin_parameter, &address, sizeof origin), OSSL_PARAM_END};
    const Params all{OSSL_PARAM_merge(facts.get(), more)};
    const KeyContext making{EVP_PKEY_CTX_new_from_name(
        remote_library(), EVP_PKEY_get0_type_name(public_half), nullptr)};
    EVP_PKEY* made = nullptr;
    if (!all || !making || EVP_PKEY_fromdata_init(making.get()) != 1 ||
        EVP_PKEY_fromdata(making.get(), &made, EVP_PKEY_PUBLIC_KEY, all.get()) != 1)
        return openssl_error("no key of this kind can be used");
    return Key{made};
}

}  // namespace tls
