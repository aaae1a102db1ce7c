"""A person's profile, password and API keys."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import selectors, services
from accounts.forms import KeyForm, ProfileForm
from accounts.models import ApiKey
from accounts.people import person
from common.exceptions import NotFound, Refused

# Where the session keeps a new key and its secret until the next page has shown them.
NEW_KEY = "new_key"


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = ProfileForm(request.POST or None, initial={"email": user.email, "time_zone": user.time_zone})
    if request.method == "POST" and form.is_valid():
        try:
            services.update_profile(user=user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error("email", refusal.message)
        else:
            messages.success(request, "Your profile is saved.")
            return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "POST"])
def password_change(request: HttpRequest) -> HttpResponse:
    """Change the password; sessions on other machines end."""
    form = PasswordChangeForm(person(request), request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, "Your password is changed. Other machines have to sign in again.")
        return redirect("accounts:profile")
    return render(request, "accounts/password_change.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@login_required
@require_GET
def key_list(request: HttpRequest) -> HttpResponse:
    """The person's keys; right after one was made, also its secret, this once."""
    return _key_page(request, KeyForm(), new_key=request.session.pop(NEW_KEY, None))


def _key_page(
    request: HttpRequest, form: KeyForm, *, new_key: dict[str, object] | None = None, status: int = 200
) -> HttpResponse:
    context = {"keys": selectors.keys_of(person(request)), "form": form, "new_key": new_key}
    return render(request, "accounts/keys.html", context, status=status)


@login_required
@require_POST
def key_create(request: HttpRequest) -> HttpResponse:
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _key_page(request, form, status=400)
    try:
        key, secret = services.create_api_key(user=person(request), note=form.cleaned_data["note"])
    except Refused as refusal:
        form.add_error("note", refusal.message)
        return _key_page(request, form, status=400)
    request.session[NEW_KEY] = {"api_key": key.pk, "api_secretkey": secret, "note": key.note}
    return redirect("accounts:keys")


@login_required
@require_POST
def key_deactivate(request: HttpRequest, key_id: int) -> HttpResponse:
    key = _own_key(request, key_id)
    services.deactivate_key(user=person(request), key_id=key.pk)
    messages.success(request, f"Key {key.pk} is deactivated. Machines that use it are refused from now on.")
    return redirect("accounts:keys")


@login_required
@require_POST
def key_activate(request: HttpRequest, key_id: int) -> HttpResponse:
    key = _own_key(request, key_id)
    services.activate_key(user=person(request), key_id=key.pk)
    messages.success(request, f"Key {key.pk} is active again, with the secret it had.")
    return redirect("accounts:keys")


def _own_key(request: HttpRequest, key_id: int) -> ApiKey:
    try:
        return selectors.key_for(person(request), key_id)
    except NotFound as refusal:
        raise Http404(refusal.message) from None
