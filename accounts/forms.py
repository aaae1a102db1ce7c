"""What people type about themselves, turned into values or into a sentence."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm, UsernameField
from django.contrib.auth.password_validation import validate_password

from accounts.models import NOTE_LENGTH, User
from accounts.throttle import TooManyTries, check_tries, count_try


@cache
def time_zone_choices() -> list[tuple[str, str]]:
    """Zones of the world by name; the database's old aliases without a region are left out, but for UTC."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]


class SignUpForm(forms.Form):
    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    email = forms.EmailField(
        label="E-mail address",
        required=False,
        help_text="Only to reset a forgotten password. May be left out.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text="At least 8 characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "password" in data:
            user = User(username=data.get("username", ""), email=data.get("email", ""))
            try:
                validate_password(data["password"], user)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data


class SignInForm(AuthenticationForm):
    """Names are found whatever their case: phones begin them with a capital letter."""

    username = UsernameField(label="User name", widget=forms.TextInput(attrs={"autofocus": True}))

    error_messages = {  # noqa: RUF012
        **AuthenticationForm.error_messages,
        "invalid_login": "The user name and the password do not match.",
    }

    def clean_username(self) -> str:
        typed: str = self.cleaned_data["username"]
        same = User.objects.filter(username__iexact=typed).first()
        return same.username if same else typed


class AdminSignInForm(AdminAuthenticationForm):
    """The admin site's own door, with the same limit on guessing as ours."""

    def clean(self) -> dict[str, Any]:
        name = str(self.cleaned_data.get("username", ""))
        assert self.request is not None
        try:
            check_tries(self.request, action="sign-in", name=name)
            return super().clean()
        except TooManyTries as refusal:
            raise forms.ValidationError(refusal.message) from None
        except forms.ValidationError:
            count_try(self.request, action="sign-in", name=name)
            raise


class ResetForm(PasswordResetForm):
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class ProfileForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        required=False,
        help_text="Only to reset a forgotten password.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    time_zone = forms.ChoiceField(label="Time zone", help_text="Times on all pages are shown in it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(
            label="Time zone", help_text="Times on all pages are shown in it.", choices=time_zone_choices()
        )


class KeyForm(forms.Form):
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=NOTE_LENGTH,
        help_text="Which machine will use it? One key for each lets you withdraw one alone.",
    )
