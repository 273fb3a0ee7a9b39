"""Names of the fields that rows of goszakup have, as its documentation spells them: one text a kind of row.

The first texts are the documented samples; `MORE` holds fields that other pages and public clients name besides.
"""

SUBJECT_SHORT = (
    "pid bin iin parent_subject parent_name_kz parent_name_ru name_ru name_kz type_supplier system_id index_date"
)
SUBJECT = (
    "pid bin iin inn unp parent_subject parent_name_kz parent_name_ru regdate crdate index_date series name_ru "
    "name_kz full_name_ru full_name_kz email phone website last_update_date country_code qvazi customer organizer "
    "mark_national_company ref_kopf_code mark_assoc_with_disab year mark_resident system_id supplier type_supplier "
    "krp_code oked_list kse_code mark_world_company mark_state_monopoly mark_natural_monopoly "
    "mark_patronymic_producer mark_patronymic_supplyer mark_small_employer is_single_org"
)
ADDRESS = "id pid ref_source_code address_type address kato_code phone country_code date_create edit_date index_date"
EMPLOYEE = "id pid iin resident fio disabled role sys_role_id start_date edit_date end_date index_date"
RNU = "id pid supplier_biin supplier_innunp supplier_name_ru supplier_name_kz kato_list system_id"
RNU_ENTRY = (
    "id pid customer_name_ru customer_name_kz customer_biin supplier_name_ru supplier_name_kz supplier_biin "
    "supplier_innunp supplier_head_name_kz supplier_head_name_ru supplier_head_biin court_decision "
    "court_decision_date start_date end_date ref_reason_id index_date system_id kato_list founders"
)
PLAN = (
    "id plan_act_id plan_act_number ref_plan_status_id plan_fin_year plan_preliminary rootrecord_id sys_subjects_id "
    "subject_biin name_ru name_kz ref_trade_methods_id ref_units_code count price amount ref_months_id "
    "ref_pln_point_status_id pln_point_year ref_subject_types_id ref_enstru_code ref_finsource_id ref_abp_code "
    "createdin_act_id date_approved is_qvazi date_create timestamp system_id ref_point_type_id desc_ru desc_kz "
    "extra_desc_ru extra_desc_kz sum_1 sum_2 sum_3 supply_date_ru prepayment ref_justification_id "
    "ref_amendment_agreem_type_id ref_amendm_agreem_justif_id contract_prev_point_id disable_person_id "
    "transfer_sys_subjects_id transfer_type ref_budget_type_id"
)
PLAN_KATO = (
    "id pln_points_id ref_kato_code ref_countries_code full_delivery_place_name_ru full_delivery_place_name_kz count "
    "system_id index_date"
)
PLAN_SPEC = (
    "id pln_points_id ref_ekrb_id count price ref_fkrb_subprogram_id ref_fkrb_id amount ref_fkrb_program_id system_id "
    "index_date"
)
TRD_BUY_SHORT = (
    "id number_anno name_ru name_kz org_bin ref_trade_methods_id publish_date start_date end_date total_sum "
    "ref_buy_status_id index_date system_id"
)
TRD_BUY = (
    "id number_anno name_ru name_kz total_sum count_lots ref_trade_methods_id ref_subject_type_id customer_bin "
    "customer_pid org_bin org_pid ref_buy_status_id start_date repeat_start_date repeat_end_date end_date "
    "publish_date itogi_date_public ref_type_trade_id disable_person_id discus_start_date discus_end_date id_supplier "
    "biin_supplier parent_id singl_org_sign is_light_industry is_construction_work system_id index_date"
)
COMMISSION = "id trd_buy_id fio ref_comm_roles_id active bin system_id index_date"
PAUSE = (
    "id status date_create date_pause decide_number decide_date decide_doc_kz decide_doc_ru status_name_ru "
    "status_name_kz solution_name_ru solution_name_kz lots"
)
CANCEL = (
    "id number_decision date_decision name_authority date_create trd_buy_id act_type_name_ru act_type_name_kz "
    "type_actions_name_ru type_actions_name_kz type_actions_code system_id index_date"
)
BID = "id buy_id supplier_id cr_fio mod_fio supplier_bin_iin prot_id prot_number date_apply app_lots"
LOT = (
    "id lot_number ref_lot_status_id last_update_date union_lots count amount name_ru name_kz description_ru "
    "description_kz customer_id customer_bin trd_buy_number_anno trd_buy_id dumping dumping_lot_price psd_sign "
    "consulting_services point_list singl_org_sign is_light_industry is_construction_work disable_person_id system_id "
    "index_date"
)
CONTRACT_SHORT = (
    "id contract_number contract_number_sys trd_buy_id trd_buy_number_anno ref_contract_type_id "
    "ref_contract_status_id crdate contract_sum contract_sum_wnds supplier_id supplier_biin customer_id customer_bin "
    "index_date system_id"
)
CONTRACT = (
    "id parent_id root_id trd_buy_id trd_buy_number_anno ref_amendm_agreem_justif_id ref_contract_status_id deleted "
    "crdate last_update_date supplier_id supplier_biin supplier_bik supplier_iik supplier_bank_name_kz "
    "supplier_bank_name_ru contract_number sign_reason_doc_name sign_reason_doc_date trd_buy_itogi_date_public "
    "customer_id customer_bin customer_bik customer_iik customer_bank_name_kz customer_bank_name_ru "
    "contract_number_sys fin_year ref_contract_agr_form_id ref_contract_year_type_id ref_finsource_id "
    "ref_currency_code contract_sum contract_sum_wnds sign_date ec_end_date plan_exec_date fakt_exec_date "
    "fakt_sum_wnds contract_end_date ref_contract_cancel_id ref_contract_type_id description_kz description_ru "
    "fakt_trade_methods_id ec_customer_approve ec_supplier_approve contract_ms system_id index_date"
)
UNIT = (
    "id lot_id pln_point_id item_price item_price_wnds quantity total_sum total_sum_wnds fact_sum fact_sum_wnds "
    "ks_proc ks_sum deleted trd_buy_id contract_registry_id crdate exec_fakt_date exec_plan_date executed parent_id "
    "root_id system_id index_date spec"
)
ACT = (
    "id akt_date number_act approve_date create_date_act contract_root_id contract_id status_id is_deleted "
    "day_overdue sum_avans sum_beginning sum_fine sum_previously sum_transfer create_date_gen_info status_name_ru "
    "status_name_kz supplier_id customer_id is_gu type_act ref_subject_type_id parent_id system_id index_date"
)
PAYMENT = (
    "id nom_za contract_id dt_reg nom_uved supplier rnn_supplier bik_supplier iik_supplier code_supplier nom_dog "
    "dt_dog item_description unit_price quantity type_bujet budget_name_ru budget_name_kz kato func espk gu "
    "fin_source po_header_id last_update_date vendor_id pdi_update_date prepay_sum str_prepay_sum check_id invoice_id "
    "pay_description invnum pay_amount check_number pay_date code_combination_id ppn system_id index_date"
)
JOURNAL = "object_id action date_action service_name service_title url"
NAMED = "id name_ru name_kz"
CODED = "id code name_ru name_kz"
TRADE_METHOD = "id symbol_code name_ru name_kz"

SUBJECT_ITEM = f"{SUBJECT} address employees admins total_address"
PLAN_ITEM = f"{PLAN} kato spec"

MORE = {
    RNU: "index_date",
    PLAN: "subject_name_ru subject_name_kz",
    PLAN_ITEM: "subject_name_ru subject_name_kz",
    TRD_BUY: "customer_name_ru customer_name_kz org_name_ru org_name_kz",
    BID: "system_id index_date",
    LOT: "customer_name_ru customer_name_kz ref_trade_methods_id",
    CONTRACT: (
        "exchange_rate is_gu report_status report_created_at report_sign_at enforcement customer_legal_address "
        "supplier_legal_address payments_terms_ru payments_terms_kz"
    ),
    UNIT: "ref_amendm_agreem_justif_id",
    TRADE_METHOD: "code is_active type f1 f2 ord",
    PAUSE: "trd_buy_id system_id index_date",
}
