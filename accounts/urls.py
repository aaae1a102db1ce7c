"""Addresses of the pages about people."""

from django.urls import URLPattern, path

from accounts.views import profile, resetting, signing

app_name = "accounts"
urlpatterns: list[URLPattern] = [
    path("sign-up/", signing.sign_up, name="sign_up"),
    path("sign-in/", signing.sign_in, name="sign_in"),
    path("sign-out/", signing.sign_out, name="sign_out"),
    path("welcome/", signing.welcome, name="welcome"),
    path("password-reset/", resetting.Ask.as_view(), name="password_reset"),
    path("password-reset/sent/", resetting.Sent.as_view(), name="password_reset_sent"),
    path("password-reset/<uidb64>/<token>/", resetting.Choose.as_view(), name="password_reset_confirm"),
    path("password-reset/done/", resetting.Done.as_view(), name="password_reset_done"),
    path("account/", profile.profile, name="profile"),
    path("account/password/", profile.password_change, name="password_change"),
    path("account/keys/", profile.key_list, name="keys"),
    path("account/keys/new/", profile.key_create, name="key_create"),
    path("account/keys/<int:key_id>/deactivate/", profile.key_deactivate, name="key_deactivate"),
    path("account/keys/<int:key_id>/activate/", profile.key_activate, name="key_activate"),
]
