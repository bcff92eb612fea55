module @swiglu_f32_to_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xf32>, %arg1: tensor<6x19xf32>, %arg2: tensor<6x19xbf16>) -> (tensor<6x19xbf16>, tensor<6x19xf32>, tensor<6x19xf32>) {
    %1:3 = stablehlo.custom_call @collegium.swiglu_gradient(%arg2, %arg0, %arg1) {api_version = 4 : i32, backend_config = {}, output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, operand_tuple_indices = []>]} : (tensor<6x19xbf16>, tensor<6x19xf32>, tensor<6x19xf32>) -> (tensor<6x19xbf16>, tensor<6x19xbf16>, tensor<6x19xbf16>)
    %2 = stablehlo.convert %1#1 : (tensor<6x19xbf16>) -> tensor<6x19xf32>
    %3 = stablehlo.convert %1#2 : (tensor<6x19xbf16>) -> tensor<6x19xf32>
    %0 = stablehlo.custom_call @collegium.chain(%arg0, %arg1) {api_version = 4 : i32, backend_config = {kernels = "swiglu", names = "", steps = array<i64: 0, 0, 2, 0, 0, 2, 6, 19, 1, 0, 2, 6, 19, 1>}} : (tensor<6x19xf32>, tensor<6x19xf32>) -> tensor<6x19xbf16>
    return %0#0, %2, %3 : tensor<6x19xbf16>, tensor<6x19xf32>, tensor<6x19xf32>
  }
}
