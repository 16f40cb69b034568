"""The refusals that people and their applications meet while signing in, and with what a sign-in gives."""

from http import HTTPStatus

from security.authority.errors import AuthorityError


class UnknownUserError(AuthorityError):
    """Nobody signs in with this name."""

    code = 50034
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = "The user account {user} does not exist in the {tenant} directory."


class WrongPasswordError(AuthorityError):
    """The password is not this user's."""

    code = 50126
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = "Error validating credentials due to invalid username or password."


class LockedUserError(AuthorityError):
    """Too many wrong passwords."""

    code = 50053
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password. "
        "Try again in a minute."
    )


class DisabledUserError(AuthorityError):
    """The user may not sign in any more."""

    code = 50057
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = "The user account is disabled."


class InvalidRefreshTokenError(AuthorityError):
    """The refresh token is unknown, another application's, or was used before."""

    code = 70000
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = "Provided grant is invalid or malformed. {detail}"


class ExpiredRefreshTokenError(AuthorityError):
    """The refresh token was not used for too long."""

    code = 700082
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = "The refresh token has expired due to inactivity. It was inactive for {days} days. Sign in again."


class RedirectMismatchError(AuthorityError):
    """The redirect URI is none of the application's, so nobody is sent there."""

    code = 50011
    error = "invalid_request"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the "
        "application '{application}'. Make sure the redirect URI sent in the request matches one added to your "
        "application."
    )


class UnsupportedResponseTypeError(AuthorityError):
    """Only codes are given by way of the browser."""

    code = 70005
    error = "unsupported_response_type"
    status = HTTPStatus.BAD_REQUEST
    text = "The provided value for the input parameter 'response_type' is not supported: '{response_type}'. Use 'code'."


class LoginRequiredError(AuthorityError):
    """`prompt=none` needs somebody who is signed in already; here everybody signs in each time."""

    code = 50058
    error = "login_required"
    status = HTTPStatus.BAD_REQUEST
    text = "Session information is not sufficient for single-sign-on."


class SignInDeclinedError(AuthorityError):
    """The person does not want to."""

    code = 65004
    error = "access_denied"
    status = HTTPStatus.BAD_REQUEST
    text = "User declined to consent to access the app."


class ForgedSignInError(AuthorityError):
    """A sign-in form that this browser was not given (cross-site request forgery)."""

    code = 165000
    error = "invalid_request"
    status = HTTPStatus.BAD_REQUEST
    text = "Invalid Request: The request tokens do not match the user context. Go back and sign in again."


class InvalidCodeError(AuthorityError):
    """The authorization code is unknown or another application's."""

    code = 70000
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "Provided grant is invalid or malformed: the authorization code is unknown, or it was issued to another client."
    )


class ExpiredCodeError(AuthorityError):
    """The authorization code was good."""

    code = 70008
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = "The provided authorization code or refresh token has expired due to inactivity. Sign in again."


class RedeemedCodeError(AuthorityError):
    """The authorization code was used before."""

    code = 54005
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh "
        "token. The refresh tokens that it gave are revoked."
    )


class ReplyAddressError(AuthorityError):
    """The redirect URI is not the one that the code was sent to."""

    code = 500112
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = (
        "The reply address '{given}' does not match the reply address '{wanted}' provided when requesting "
        "Authorization code."
    )


class CodeVerifierError(AuthorityError):
    """The proof key is not the one that the authorization was asked for with (RFC 7636 §4.6)."""

    code = 501481
    error = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
