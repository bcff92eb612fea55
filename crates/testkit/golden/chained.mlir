module @chained attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x9xf32>, %arg1: tensor<40xf32>) -> (tensor<5x9xf32>) {
    %0 = stablehlo.slice %arg1 [16:25] : (tensor<40xf32>) -> tensor<9xf32>
    %1 = stablehlo.multiply %arg0, %arg0 : tensor<5x9xf32>
    %2 = stablehlo.constant dense<0.0> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.add across dimensions = [1] : (tensor<5x9xf32>, tensor<f32>) -> tensor<5xf32>
    %4 = stablehlo.constant dense<0.11111111> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %6 = stablehlo.multiply %3, %5 : tensor<5xf32>
    %7 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %9 = stablehlo.add %6, %8 : tensor<5xf32>
    %10 = stablehlo.rsqrt %9 : tensor<5xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0] : (tensor<5xf32>) -> tensor<5x9xf32>
    %12 = stablehlo.multiply %arg0, %11 : tensor<5x9xf32>
    %13 = stablehlo.broadcast_in_dim %0, dims = [1] : (tensor<9xf32>) -> tensor<5x9xf32>
    %14 = stablehlo.multiply %12, %13 : tensor<5x9xf32>
    %15 = stablehlo.add %14, %arg0 : tensor<5x9xf32>
    %16 = stablehlo.slice %arg1 [0:9] : (tensor<40xf32>) -> tensor<9xf32>
    %17 = stablehlo.multiply %15, %15 : tensor<5x9xf32>
    %18 = stablehlo.constant dense<0.0> : tensor<f32>
    %19 = stablehlo.reduce(%17 init: %18) applies stablehlo.add across dimensions = [1] : (tensor<5x9xf32>, tensor<f32>) -> tensor<5xf32>
    %20 = stablehlo.multiply %19, %5 : tensor<5xf32>
    %21 = stablehlo.add %20, %8 : tensor<5xf32>
    %22 = stablehlo.rsqrt %21 : tensor<5xf32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [0] : (tensor<5xf32>) -> tensor<5x9xf32>
    %24 = stablehlo.multiply %15, %23 : tensor<5x9xf32>
    %25 = stablehlo.broadcast_in_dim %16, dims = [1] : (tensor<9xf32>) -> tensor<5x9xf32>
    %26 = stablehlo.multiply %24, %25 : tensor<5x9xf32>
    %27 = stablehlo.multiply %26, %26 : tensor<5x9xf32>
    %28 = stablehlo.constant dense<0.0> : tensor<f32>
    %29 = stablehlo.reduce(%27 init: %28) applies stablehlo.add across dimensions = [1] : (tensor<5x9xf32>, tensor<f32>) -> tensor<5xf32>
    %30 = stablehlo.multiply %29, %5 : tensor<5xf32>
    %31 = stablehlo.add %30, %8 : tensor<5xf32>
    %32 = stablehlo.rsqrt %31 : tensor<5xf32>
    %33 = stablehlo.broadcast_in_dim %32, dims = [0] : (tensor<5xf32>) -> tensor<5x9xf32>
    %34 = stablehlo.multiply %26, %33 : tensor<5x9xf32>
    %35 = stablehlo.multiply %34, %13 : tensor<5x9xf32>
    %36 = stablehlo.add %35, %14 : tensor<5x9xf32>
    return %36 : tensor<5x9xf32>
  }
}
