"""The thirty dictionaries. Codes that clients of the service have seen are real; the others belong to this world.

A dictionary is a list of rows in the order of its walk: by descending id, or by ascending code where it has no id.
"""

from __future__ import annotations

from collections.abc import Iterable

from standins.goszakup.columns import Row
from standins.goszakup.words import GOODS, MONTHS, REGIONS

BY_CODE = ("ref_units", "ref_kato", "ref_countries", "ref_currency")


def _named(items: Iterable[tuple[int, str, str]]) -> list[Row]:
    return [{"id": number, "name_ru": ru, "name_kz": kz} for number, ru, kz in items]


def _coded(items: Iterable[tuple[int, str, str, str]]) -> list[Row]:
    return [{"id": number, "code": code, "name_ru": ru, "name_kz": kz} for number, code, ru, kz in items]


LOT_STATUS = (
    (110, "Draft", "Проект", "Жоба"),
    (190, "DocumentationChanged", "Изменена документация", "Құжаттама өзгертілді"),
    (210, "Published", "Опубликован", "Жарияланды"),
    (220, "PublishedDiscussion", "Опубликован (обсуждение)", "Жарияланды (талқылау)"),
    (230, "PublishedAdditionDemands", "Опубликован (дополнение заявок)", "Жарияланды (өтінімдерді толықтыру)"),
    (240, "PublishedOfferAccept", "Опубликован (прием ценовых предложений)", "Жарияланды (баға ұсыныстарын қабылдау)"),
    (250, "BidReview", "Рассмотрение заявок", "Өтінімдерді қарау"),
    (260, "BidAdditionalReview", "Рассмотрение дополнений заявок", "Өтінім толықтыруларын қарау"),
    (360, "TookPlace", "Закупка состоялась", "Сатып алу өтті"),
    (370, "Failed", "Закупка не состоялась", "Сатып алу өтпеді"),
    (430, "Canceled", "Закупка отменена", "Сатып алу болдырылмады"),
    (440, "OnAppellation", "На обжаловании", "Шағымдануда"),
)
BUY_STATUS = (
    (110, "Draft", "Проект", "Жоба"),
    (190, "DocumentationСhanged", "Изменена документация", "Құжаттама өзгертілді"),
    (210, "Published", "Опубликовано", "Жарияланды"),
    (220, "PublishedOrderTaking", "Опубликовано (прием заявок)", "Жарияланды (өтінім қабылдау)"),
    (230, "PublishedAdditionDemands", "Опубликовано (дополнение заявок)", "Жарияланды (өтінім толықтыру)"),
    (240, "PublishedPriceOffers", "Опубликовано (прием ценовых предложений)", "Жарияланды (баға ұсыныстары)"),
    (250, "BidReview", "Рассмотрение заявок", "Өтінімдерді қарау"),
    (260, "BidAdditionalReview", "Рассмотрение дополнений заявок", "Өтінім толықтыруларын қарау"),
    (350, "Complete", "Завершено", "Аяқталды"),
    (410, "RefusalOfPurchase", "Отказ от закупки", "Сатып алудан бас тарту"),
    (430, "Canceled", "Отменено", "Болдырылмады"),
    (440, "OnAppellation", "На обжаловании", "Шағымдануда"),
    (540, "BeforeReviwePI", "Формирование протокола итогов", "Қорытынды хаттамасы"),
)
APPLICATION_STATUS = (
    (310, "Filed", "Подана", "Берілді"),
    (340, "Admitted", "Допущена", "Жіберілді"),
    (350, "Rejected", "Отклонена", "Қабылданбады"),
    (360, "FirstWinner", "Победитель", "Жеңімпаз"),
)
CONTRACT_STATUS = (
    (120, "OnApproval", "На согласовании", "Келісуде"),
    (190, "Valid", "Действует", "Қолданыста"),
    (390, "Executed", "Исполнен", "Орындалды"),
    (455, "Terminated", "Расторгнут", "Бұзылды"),
)
METHODS = (
    (2, "OK", "Открытый конкурс", "Ашық конкурс"),
    (3, "ZCP", "Запрос ценовых предложений", "Баға ұсыныстарын сұрату"),
    (6, "OI", "Из одного источника по несостоявшимся закупкам", "Өтпеген сатып алу бойынша бір көзден"),
    (7, "AUC", "Аукцион", "Аукцион"),
    (23, "OINP", "Из одного источника путем прямого заключения договора", "Шарт жасасу арқылы бір көзден"),
    (32, "KPO", "Конкурс с предварительным квалификационным отбором", "Алдын ала іріктеумен конкурс"),
    (118, "TB", "Через товарные биржи", "Тауар биржалары арқылы"),
    (132, "RS", "Рамочное соглашение (первый этап)", "Негіздемелік келісім (бірінші кезең)"),
    (188, "OKRBS", "Открытый конкурс (рейтингово-балльная система)", "Ашық конкурс (рейтингтік-балдық жүйе)"),
)
UNITS = (
    ("112", "л", "LTR", "Литр", "Литр"),
    ("166", "кг", "KGM", "Килограмм", "Килограмм"),
    ("168", "т", "TNE", "Тонна", "Тонна"),
    ("778", "упак", "NMP", "Упаковка", "Қаптама"),
    ("794", "усл", "E48", "Услуга", "Қызмет"),
    ("796", "шт", "PCE", "Штука", "Дана"),
    ("921", "раб", "WRK", "Работа", "Жұмыс"),
    ("5111", "пачка", "PCK", "Пачка", "Бума"),
)
SOURCES = ((1, "Бюджет", "Бюджет"), (2, "Трансферты", "Трансферттер"), (3, "Кредиты", "Несиелер"))
COUNTRIES = (
    ("156", "CN", "CHN", "КИТАЙ", "ҚЫТАЙ"),
    ("398", "KZ", "KAZ", "КАЗАХСТАН", "ҚАЗАҚСТАН"),
    ("417", "KG", "KGZ", "КЫРГЫЗСТАН", "ҚЫРҒЫЗСТАН"),
    ("643", "RU", "RUS", "РОССИЯ", "РЕСЕЙ"),
    ("860", "UZ", "UZB", "УЗБЕКИСТАН", "ӨЗБЕКСТАН"),
)


def _plain(stem_ru: str, stem_kz: str, n: int) -> list[tuple[int, str, str]]:
    return [(number, f"{stem_ru} {number}", f"{stem_kz} {number}") for number in range(1, n + 1)]


def _kato() -> list[Row]:
    """Each region and six districts of it."""
    result: list[Row] = []
    for code, ru, kz in REGIONS:
        for district in range(7):
            own = f"{code[:2]}{district * 20:02d}00000" if district else code
            result.append({
                "code": own,
                "parent_code": code if district else "000000000",
                "level_": 1 if district else 0,
                "name_ru": f"{ru}, район {district}" if district else ru,
                "name_kz": f"{kz}, {district} аудан" if district else kz,
                "full_name_ru": f"{ru}, район {district}" if district else ru,
                "full_name_kz": f"{kz}, {district} аудан" if district else kz,
                "ab": own[:2],
                "cd": own[2:4],
                "ef": own[4:6],
                "hij": own[6:9],
                "k": 0,
            })  # fmt: skip
    return result


def _dictionaries() -> dict[str, list[Row]]:
    programs = _plain("Бюджетная программа", "Бюджеттік бағдарлама", 8)
    abp = [(n, f"{250 + n}", f"Администратор {250 + n}", f"Әкімші {250 + n}") for n in range(40)]
    return {
        "ref_lots_status": _coded(LOT_STATUS),
        "ref_trade_methods": [
            {"id": number, "symbol_code": code, "name_ru": ru, "name_kz": kz} for number, code, ru, kz in METHODS
        ],
        "ref_units": [
            {"code": code, "code2": code2, "alpha_code": alpha, "name_ru": ru, "name_kz": kz}
            for code, code2, alpha, ru, kz in UNITS
        ],
        "ref_months": _named((number + 1, ru, kz) for number, (ru, kz) in enumerate(MONTHS)),
        "ref_pln_point_status": _coded(((1, "Draft", "Проект", "Жоба"), (5, "Approved", "Утвержден", "Бекітілген"))),
        "ref_subject_type": _named(((1, "Товар", "Тауар"), (2, "Работа", "Жұмыс"), (3, "Услуга", "Қызмет"))),
        "ref_finsource": [
            {"id": number, "code": str(number), "name_ru": ru, "name_kz": kz, "nogz": int(number == 3)}
            for number, ru, kz in SOURCES
        ],
        "ref_abp": [
            {"id": number + 1, "code": code, "name_ru": ru, "name_kz": kz, "shortname_ru": ru, "shortname_kz": kz}
            for number, code, ru, kz in abp
        ],
        "ref_point_type": _named(((1, "Закупки, не превышающие финансовый год", "Қаржы жылынан аспайтын"),
                                  (2, "Закупки, превышающие финансовый год", "Қаржы жылынан асатын"))),
        "ref_kato": _kato(),
        "ref_countries": [
            {"code": code, "code_2": two, "code_3": three, "name_ru": ru, "name_kz": kz}
            for code, two, three, ru, kz in COUNTRIES
        ],
        "ref_ekrb": _coded((n, f"{110 + n}", ru, kz) for n, ru, kz in _plain("Специфика", "Ерекшелік", 12)),
        "ref_fkrb_program": [
            {"id": n, "code": f"{n:03d}", "prg": f"{n:03d}", "name_ru": ru, "name_kz": kz} for n, ru, kz in programs
        ],
        "ref_fkrb_subprogram": [
            {"id": n, "ppr": f"{n:03d}", "name_ru": ru, "name_kz": kz}
            for n, ru, kz in _plain("Подпрограмма", "Кіші бағдарлама", 6)
        ],
        "ref_justification": [
            {"id": n, "name_ru": ru, "name_kz": kz, "ref_trade_methods_id": 23}
            for n, ru, kz in _plain("Обоснование", "Негіздеме", 5)
        ],
        "ref_amendment_agreem_type": _named(_plain("Вид изменения", "Өзгеріс түрі", 4)),
        "ref_amendm_agreem_justif": [
            {"id": n, "name_ru": ru, "name_kz": kz, "cname_ru": ru, "cname_kz": kz}
            for n, ru, kz in _plain("Основание изменения", "Өзгеріс негізі", 6)
        ],
        "ref_budget_type": _coded(((1, "2", "Местный бюджет", "Жергілікті бюджет"),
                                   (2, "1", "Республиканский бюджет", "Республикалық бюджет"))),
        "ref_type_trade": _named(((1, "Первая закупка", "Бірінші сатып алу"),
                                  (2, "Повторная закупка", "Қайта сатып алу"))),
        "ref_buy_status": _coded(BUY_STATUS),
        "ref_po_st": _coded(APPLICATION_STATUS),
        "ref_comm_roles": _coded(((1, "Chair", "Председатель", "Төраға"), (3, "Member", "Член комиссии", "Мүше"),
                                  (4, "Secretary", "Секретарь", "Хатшы"))),
        "ref_contract_status": _coded(CONTRACT_STATUS),
        "ref_contract_agr_form": _named(((1, "Электронный", "Электрондық"), (2, "Бумажный", "Қағаз"))),
        "ref_contract_year_type": _named(((1, "Однолетний", "Бір жылдық"), (2, "Многолетний", "Көп жылдық"))),
        "ref_currency": [{"code": code, "name": name} for code, name in (
            ("EUR", "Евро"), ("KZT", "Тенге"), ("RUB", "Российский рубль"), ("USD", "Доллар США"))],
        "ref_contract_cancel": _named(((1, "По соглашению сторон", "Тараптардың келісімі бойынша"),
                                       (2, "Неисполнение поставщиком", "Өнім берушінің орындамауы"))),
        "ref_contract_type": _named(((1, "Основной договор", "Негізгі шарт"),
                                     (2, "Дополнительное соглашение", "Қосымша келісім"))),
        "ref_reason": [
            {"id": n, "type": 1, "name_ru": ru, "name_kz": kz}
            for n, ru, kz in _plain("Основание включения", "Енгізу негізі", 4)
        ],
        "ref_buy_lot_reject_reason": _named(_plain("Причина отказа", "Бас тарту себебі", 5)),
    }  # fmt: skip


def dictionaries() -> dict[str, list[Row]]:
    """All thirty by name, each in the order of its walk."""
    result = _dictionaries()
    missing = {good.unit for good in GOODS} - {row["code"] for row in result["ref_units"]}
    assert not missing, f"goods are counted in units without a name: {missing}"
    return {
        name: sorted(items, key=lambda row: row["code"])
        if name in BY_CODE
        else sorted(items, key=lambda row: row["id"], reverse=True)
        for name, items in result.items()
    }
