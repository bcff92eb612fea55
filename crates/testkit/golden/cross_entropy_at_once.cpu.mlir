module @cross_entropy_at_once attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x5xf32>, %arg1: tensor<9x5xf32>, %arg2: tensor<6xi32>, %arg3: tensor<f32>) -> (tensor<f32>) {
    %0:3 = stablehlo.custom_call @collegium.cross_entropy(%arg0, %arg1, %arg2, %arg3) {api_version = 4 : i32, backend_config = {}} : (tensor<6x5xf32>, tensor<9x5xf32>, tensor<6xi32>, tensor<f32>) -> (tensor<f32>, tensor<6x5xf32>, tensor<9x5xf32>)
    %1 = stablehlo.constant dense<0.0> : tensor<f32>
    %2 = stablehlo.reduce(%0#1 init: %1) applies stablehlo.add across dimensions = [1, 0] : (tensor<6x5xf32>, tensor<f32>) -> tensor<f32>
    %3 = stablehlo.constant dense<0.0> : tensor<f32>
    %4 = stablehlo.reduce(%0#2 init: %3) applies stablehlo.add across dimensions = [1, 0] : (tensor<9x5xf32>, tensor<f32>) -> tensor<f32>
    %5 = stablehlo.add %2, %4 : tensor<f32>
    %6 = stablehlo.add %5, %0#0 : tensor<f32>
    return %6 : tensor<f32>
  }
}
